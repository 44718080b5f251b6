using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Tracing.Parents;

/// <summary>Processes whose threads serve one request after the other: the thread tells which request a call belongs to.</summary>
public class ThreadTests
{
    [Fact]
    public void A_call_belongs_to_the_request_of_its_thread()
    {
        var rig = new ParentRig();
        rig.Request(1, "/in/1");
        rig.Request(2, "/in/2");
        rig.CallAndResponse(1, "/out/1");
        rig.CallAndResponse(2, "/out/2");
        rig.CallAndResponse(1, "/out/1b");
        rig.Respond(2, "/in/2");
        rig.Respond(1, "/in/1");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Thread);
        rig.AssertParent("/out/1b", "/in/1", ParentSource.Thread);
        rig.AssertParent("/out/2", "/in/2", ParentSource.Thread);
        Assert.Equal(0ul, rig.Spans["/in/1"].ParentId);
        Assert.Equal(5, rig.Spans.Values.Select(static context => context.SpanId).Distinct().Count());
        Assert.Equal(2, rig.Spans.Values.Select(static context => (context.TraceHigh, context.TraceLow)).Distinct().Count());
    }

    [Fact]
    public void A_query_has_a_parent_too()
    {
        var rig = new ParentRig();
        rig.Request(1, "/in/1");
        rig.On(1, "redis").Named = ProtocolId.Redis;
        rig.On(1, "redis").Flags = SocketEventFlags.Fresh;
        rig.On(1, "redis").Send("*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
        rig.On(1, "redis").Receive("$1\r\nx\r\n");
        rig.Respond(1, "/in/1");
        rig.AssertParent("GET", "/in/1", ParentSource.Thread);
    }

    [Fact]
    public void What_a_thread_does_before_and_after_a_request_has_no_parent()
    {
        var rig = new ParentRig();
        rig.CallAndResponse(1, "/before");
        rig.Request(1, "/in/1");
        rig.Respond(1, "/in/1");
        rig.CallAndResponse(1, "/after");
        rig.CallAndResponse(3, "/other");
        foreach (var path in (string[])["/before", "/after", "/other"])
        {
            rig.AssertParent(path, null, ParentSource.None);
        }
    }

    [Fact]
    public void While_the_response_is_being_sent_calls_still_belong_to_the_request()
    {
        var rig = new ParentRig();
        rig.Request(1, "/in/1");
        rig.On(1, "/in/1").Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
        rig.CallAndResponse(1, "/out/1");
        rig.On(1, "/in/1").Send("cd");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Thread);
    }

    /// <summary>As in a pool whose connections are read by one thread in common (puma): who responds made the call.</summary>
    [Fact]
    public void A_request_that_another_thread_read_is_known_by_its_response()
    {
        var rig = new ParentRig();
        Warm(rig);
        rig.Request(9, "/in/1");
        rig.Request(8, "/in/2");
        rig.CallAndResponse(1, "/out/1");
        rig.CallAndResponse(2, "/out/2");
        Assert.DoesNotContain("/out/1", rig.Spans.Keys);
        rig.Respond(2, "/in/2");
        rig.Respond(1, "/in/1");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Thread);
        rig.AssertParent("/out/2", "/in/2", ParentSource.Thread);
    }

    [Fact]
    public void A_request_that_came_after_the_call_is_not_its_parent()
    {
        var rig = new ParentRig();
        Warm(rig);
        rig.Request(9, "/in/1");
        rig.CallAndResponse(1, "/out/1");
        rig.Request(8, "/in/2");
        rig.Respond(1, "/in/2");
        rig.Respond(9, "/in/1");
        rig.AssertParent("/out/1", null, ParentSource.None);
    }

    [Fact]
    public void A_span_that_waits_comes_out_when_nothing_can_be_its_parent_any_more()
    {
        var rig = new ParentRig();
        Warm(rig);
        rig.Request(9, "/in/1");
        rig.CallAndResponse(1, "/out/1");
        Assert.Equal(1, Assert.Single(rig.Parents.Count()).Held);
        rig.Respond(9, "/in/1");
        rig.AssertParent("/out/1", null, ParentSource.None);
        Assert.Equal(0, Assert.Single(rig.Parents.Count()).Held);
    }

    [Fact]
    public void It_waits_no_longer_than_five_seconds_after_its_end()
    {
        var rig = new ParentRig();
        Warm(rig);
        rig.Request(9, "/in/1");
        rig.CallAndResponse(1, "/out/1");
        rig.Parents.Tick((long)rig.Time + 4_900_000_000);
        Assert.DoesNotContain("/out/1", rig.Spans.Keys);
        rig.Parents.Tick((long)rig.Time + 5_100_000_000);
        rig.AssertParent("/out/1", null, ParentSource.None);
        Assert.True(Assert.Single(rig.Parents.Count()).Balanced);
    }

    [Fact]
    public void A_thread_that_never_responds_is_not_waited_for_again_and_again()
    {
        var rig = new ParentRig();
        Warm(rig);
        rig.Request(9, "/in/1");
        for (var i = 0; i < 8; i++)
        {
            rig.CallAndResponse(1, $"/background/{i}");
            rig.Parents.Tick((long)rig.Time + 5_100_000_000);
        }

        rig.CallAndResponse(1, "/background/8");
        rig.AssertParent("/background/8", null, ParentSource.None);
    }

    [Fact]
    public void What_is_open_at_the_end_comes_out()
    {
        var rig = new ParentRig();
        Warm(rig);
        rig.Request(9, "/in/1");
        rig.CallAndResponse(1, "/out/1");
        rig.Parents.Tick((long)rig.Time, all: true);
        rig.AssertParent("/out/1", null, ParentSource.None);
    }

    [Fact]
    public void An_exchange_that_is_lost_leaves_nothing_behind()
    {
        var rig = new ParentRig();
        rig.Request(1, "/in/1");
        rig.Call(1, "/out/1");
        rig.On(1, "/in/1").Forget();
        rig.On(1, "/out/1").Close();
        rig.CallAndResponse(1, "/out/2");
        rig.AssertParent("/out/2", null, ParentSource.None);
    }

    [Fact]
    public void A_number_that_a_thread_of_another_process_gets_means_another_thread()
    {
        var rig = new ParentRig();
        rig.Request(1, "/in/1");
        rig.Pid = 77;
        rig.CallAndResponse(1, "/out/1");
        rig.AssertParent("/out/1", null, ParentSource.None);
    }

    [Fact]
    public void Nothing_is_allocated_for_requests_and_calls()
    {
        var rig = new QuietRig();
        rig.Exchange(2000);
        Assert.Equal(0, Allocation.Least(_ => rig.Exchange(1000)));
    }

    /// <summary>Enough requests that the process counts as one that is known.</summary>
    private static void Warm(ParentRig rig)
    {
        for (var i = 0; i < 20; i++)
        {
            rig.Request(1, $"/warm/{i}");
            rig.Respond(1, $"/warm/{i}");
        }
    }
}
