namespace Beyla.Agent.Tests.Tracing.Parents;

/// <summary>Event loops and pools of continuations: a parent only where what came before a call and what came after it agree.</summary>
public class LoopTests
{
    [Fact]
    public void Before_and_after_agree()
    {
        var rig = Loop();
        rig.Request(1, "/in/1");
        rig.Call(1, "/out/1");
        rig.Request(1, "/in/2");
        rig.Call(1, "/out/2");
        rig.Response(1, "/out/2");
        rig.Respond(1, "/in/2");
        rig.Response(1, "/out/1");
        rig.Respond(1, "/in/1");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Agreement);
        rig.AssertParent("/out/2", "/in/2", ParentSource.Agreement);
    }

    /// <summary>A timer between the request and the call: before the call came another request.</summary>
    [Fact]
    public void A_call_that_comes_late_has_no_parent()
    {
        var rig = Loop();
        rig.Request(1, "/in/1");
        rig.Request(1, "/in/2");
        rig.Call(1, "/out/1");
        rig.Response(1, "/out/1");
        rig.Respond(1, "/in/1");
        rig.Respond(1, "/in/2");
        rig.AssertParent("/out/1", null, ParentSource.None);
    }

    /// <summary>A timer between the response of the call and that to the request.</summary>
    [Fact]
    public void A_response_that_comes_late_makes_no_parent()
    {
        var rig = Loop();
        rig.Request(1, "/in/1");
        rig.Call(1, "/out/1");
        rig.Request(1, "/in/2");
        rig.Response(1, "/out/1");
        rig.Respond(1, "/in/2");
        rig.Respond(1, "/in/1");
        rig.AssertParent("/out/1", null, ParentSource.None);
    }

    [Fact]
    public void Another_operation_after_the_response_makes_no_parent()
    {
        var rig = Loop();
        rig.Request(1, "/in/1");
        rig.Call(1, "/out/1");
        rig.Response(1, "/out/1");
        rig.Request(1, "/in/2");
        rig.Respond(1, "/in/1");
        rig.Respond(1, "/in/2");
        rig.AssertParent("/out/1", null, ParentSource.None);
    }

    /// <summary>
    /// Loops that read all that is there and work then (asyncio, haproxy): both signs name the request that was read last, and both are
    /// wrong if the responses come in the other order.
    /// </summary>
    [Fact]
    public void Requests_that_were_read_together_speak_for_no_call()
    {
        var rig = Loop();
        rig.Request(1, "/in/1");
        rig.Request(1, "/in/2");
        rig.Call(1, "/out/1");
        rig.Call(1, "/out/2");
        rig.Response(1, "/out/2");
        rig.Response(1, "/out/1");
        rig.Respond(1, "/in/2");
        rig.Respond(1, "/in/1");
        rig.AssertParent("/out/1", null, ParentSource.None);
        rig.AssertParent("/out/2", null, ParentSource.None);
    }

    /// <summary>A request speaks for what its thread sends next, not for what it sends after that.</summary>
    [Fact]
    public void A_request_speaks_for_the_first_call_only()
    {
        var rig = Loop();
        rig.Request(2, "/in/1");
        rig.Request(1, "/in/2");
        rig.Call(1, "/out/2");
        rig.Call(1, "/out/1");
        rig.Response(1, "/out/1");
        rig.Respond(1, "/in/2");
        rig.AssertParent("/out/1", null, ParentSource.None);
    }

    /// <summary>Of responses that were read together, none is followed by what the thread did for it.</summary>
    [Fact]
    public void Responses_that_were_read_together_speak_for_no_call()
    {
        var rig = Loop();
        rig.Request(1, "/in/1");
        rig.Call(1, "/out/1");
        rig.Request(1, "/in/2");
        rig.Call(1, "/out/2");
        rig.Response(1, "/out/1");
        rig.Response(1, "/out/2");
        rig.Respond(1, "/in/1");
        rig.Respond(1, "/in/2");
        rig.AssertParent("/out/1", null, ParentSource.None);
        rig.AssertParent("/out/2", null, ParentSource.None);
    }

    [Fact]
    public void Calls_one_after_the_other_belong_to_the_request_that_the_last_one_speaks_for()
    {
        var rig = Loop();
        rig.Request(2, "/in/2");
        rig.Request(1, "/in/1");
        rig.Call(1, "/out/1a");
        rig.Response(1, "/out/1a");
        rig.Call(1, "/out/1b");
        rig.Response(1, "/out/1b");
        rig.Call(1, "/out/1c");
        rig.Response(1, "/out/1c");
        Assert.DoesNotContain("/out/1a", rig.Spans.Keys);
        rig.Respond(1, "/in/1");
        foreach (var call in (string[])["/out/1a", "/out/1b", "/out/1c"])
        {
            rig.AssertParent(call, "/in/1", ParentSource.Agreement);
        }
    }

    /// <summary>A pool of connections: the next call on it belongs to another request, whose response speaks for none before it.</summary>
    [Fact]
    public void A_call_of_another_request_in_between_makes_no_parent()
    {
        var rig = Loop();
        rig.Request(1, "/in/1");
        rig.Call(1, "/out/1");
        rig.Request(1, "/in/2");
        rig.Response(1, "/out/1");
        rig.Call(1, "/out/2");
        rig.Respond(1, "/in/1");
        rig.Response(1, "/out/2");
        rig.Respond(1, "/in/2");
        rig.AssertParent("/out/1", null, ParentSource.None);
        rig.AssertParent("/out/2", null, ParentSource.None);
    }

    [Fact]
    public void The_only_request_of_a_process_is_the_parent_probably()
    {
        var rig = new ParentRig { Language = ProcessLanguage.NodeJs };
        rig.Request(1, "/in/1");
        rig.CallAndResponse(1, "/out/1");
        rig.CallAndResponse(2, "/out/1b");
        rig.Respond(2, "/in/1");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Agreement);
        rig.AssertParent("/out/1b", "/in/1", ParentSource.Agreement);
    }

    /// <summary>Once a loop, always a loop: a process that has few requests at a time later is the same program.</summary>
    [Fact]
    public void A_process_is_found_to_be_a_loop_and_stays_one()
    {
        var rig = new ParentRig();
        Overlap(rig, 6);
        for (var i = 0; i < 1000; i++)
        {
            rig.Request(1, $"/alone/{i}");
            rig.Respond(1, $"/alone/{i}");
        }

        rig.Request(1, "/in/1");
        rig.CallAndResponse(1, "/out/1");
        rig.Respond(1, "/in/1");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Agreement);
    }

    /// <summary>Before that is known, a thread with two open requests tells nothing.</summary>
    [Fact]
    public void A_thread_with_two_requests_tells_nothing()
    {
        var rig = new ParentRig();
        rig.Request(1, "/in/1");
        rig.Request(1, "/in/2");
        rig.CallAndResponse(1, "/out/1");
        rig.Respond(1, "/in/2");
        rig.Respond(1, "/in/1");
        rig.AssertParent("/out/1", null, ParentSource.None);
    }

    /// <summary>Measured in a pool whose connections are read by one thread in common: 7 of 1,000.</summary>
    [Fact]
    public void A_few_overlaps_make_no_loop()
    {
        var rig = new ParentRig();
        for (var i = 0; i < 1000; i++)
        {
            rig.Request(9, $"/a/{i}");
            if (i % 140 == 0)
            {
                rig.Request(9, $"/b/{i}");
                rig.Respond(1, $"/b/{i}");
            }

            rig.Respond(2, $"/a/{i}");
        }

        rig.Request(1, "/in/1");
        rig.CallAndResponse(1, "/out/1");
        rig.Respond(1, "/in/1");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Thread);
    }

    /// <summary>The reactor of puma reads the requests of all idle connections, and other threads work for them.</summary>
    [Fact]
    public void A_thread_that_only_reads_owes_no_response()
    {
        var rig = new ParentRig();
        for (var i = 0; i < 50; i++)
        {
            rig.Request(9, $"/a/{i}");
            rig.Request(9, $"/b/{i}");
            rig.CallAndResponse(1, $"/out/a/{i}");
            rig.CallAndResponse(2, $"/out/b/{i}");
            rig.Respond(1, $"/a/{i}");
            rig.Respond(2, $"/b/{i}");
        }

        rig.AssertParent("/out/a/49", "/a/49", ParentSource.Thread);
        rig.AssertParent("/out/b/49", "/b/49", ParentSource.Thread);
    }

    /// <summary>A thousand calls in one request: each settles, and none on top of the other.</summary>
    [Fact]
    public void A_long_chain_is_settled()
    {
        var rig = Loop();
        rig.Request(2, "/in/2");
        rig.Request(1, "/in/1");
        for (var i = 0; i < 3000; i++)
        {
            rig.CallAndResponse(1, $"/out/{i}");
        }

        rig.Respond(1, "/in/1");
        rig.AssertParent("/out/0", "/in/1", ParentSource.Agreement);
        rig.AssertParent("/out/2999", "/in/1", ParentSource.Agreement);
        Assert.True(Assert.Single(rig.Parents.Count()) is { Balanced: true, Held: 0 });
    }

    /// <summary>A process that was found to be a loop, with two requests open, so that none is the only one.</summary>
    private static ParentRig Loop()
    {
        var rig = new ParentRig();
        Overlap(rig, 6);
        rig.Request(8, "/open/0");
        return rig;
    }

    private static void Overlap(ParentRig rig, int times)
    {
        for (var i = 0; i < times; i++)
        {
            rig.Request(1, $"/first/{i}");
            rig.Request(1, $"/second/{i}");
            rig.Respond(1, $"/first/{i}");
            rig.Respond(1, $"/second/{i}");
        }
    }
}
