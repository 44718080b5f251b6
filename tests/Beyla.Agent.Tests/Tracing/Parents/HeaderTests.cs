namespace Beyla.Agent.Tests.Tracing.Parents;

/// <summary>A traceparent in the head of a request or of a call.</summary>
public class HeaderTests
{
    private const ulong High = 0x4bf92f3577b34da6, Low = 0xa3ce929d0e0e4736, Caller = 0x00f067aa0ba902b7, Own = 0x1111111111111111;
    private const string Value = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        Field = $"traceparent: {Value}\r\n", OwnField = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-1111111111111111-01\r\n";

    [Theory]
    [InlineData(Field)]
    [InlineData("TraceParent:" + Value + "\r\n")]
    [InlineData("TRACEPARENT: \t" + Value + " \t\r\n")]
    [InlineData("Transfer-Encoding: identity\r\nTE: trailers\r\ntracestate:\r\n" + Field)]
    public void A_request_takes_the_trace_of_its_caller(string fields)
    {
        var rig = new ParentRig();
        rig.Request(1, "/in", fields);
        rig.CallAndResponse(1, "/out");
        rig.Respond(1, "/in");
        var request = rig.Spans["/in"];
        Assert.Equal((High, Low, Caller, ParentSource.Header, (byte)0),
            (request.TraceHigh, request.TraceLow, request.ParentId, request.Source, request.Flags));
        Assert.NotEqual(Caller, request.SpanId);
        rig.AssertParent("/out", "/in", ParentSource.Thread);
        Assert.Equal(0, rig.Spans["/out"].Flags);
    }

    /// <summary>Section 3.2.1: of several it is not known which is meant; a folded value is none.</summary>
    [Theory]
    [InlineData(Field + OwnField)]
    [InlineData(Field + "X: y\r\n" + Field)]
    [InlineData("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736\r\n -00f067aa0ba902b7-00\r\n")]
    [InlineData("traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-00\r\n")]
    [InlineData("traceparent : " + Value + "\r\n")]
    [InlineData("xtraceparent: " + Value + "\r\n")]
    [InlineData("trace-parent: " + Value + "\r\n")]
    public void A_wrong_one_is_ignored(string fields)
    {
        var rig = new ParentRig();
        rig.Request(1, "/in", fields);
        rig.Respond(1, "/in");
        var request = rig.Spans["/in"];
        Assert.True(request.HasTrace);
        Assert.Equal((0ul, ParentSource.None), (request.ParentId, request.Source));
        Assert.NotEqual((High, Low), (request.TraceHigh, request.TraceLow));
    }

    [Fact]
    public void A_head_in_pieces_says_the_same()
    {
        var head = $"GET /in HTTP/1.1\r\nHost: a\r\n{Field}tracestate: a=b\r\n\r\n";
        for (var cut = 1; cut < head.Length; cut++)
        {
            var rig = new ParentRig();
            rig.On(1, "/in").Receive(head[..cut]);
            rig.On(1, "/in").Receive(head[cut..]);
            rig.Respond(1, "/in");
            Assert.Equal((High, Low, Caller), (rig.Spans["/in"].TraceHigh, rig.Spans["/in"].TraceLow, rig.Spans["/in"].ParentId));
        }
    }

    /// <summary>A library in the process goes on with the trace: its header names the call, and the call belongs to that request.</summary>
    [Fact]
    public void A_call_of_the_same_trace_belongs_to_that_request_whatever_thread_makes_it()
    {
        var rig = new ParentRig { Language = ProcessLanguage.Dotnet };
        rig.Request(1, "/other");
        rig.Request(1, "/in", Field);
        rig.Request(1, "/in2");
        rig.Call(5, "/out", OwnField);
        rig.Response(6, "/out");
        rig.Respond(7, "/in");
        rig.AssertParent("/out", "/in", ParentSource.Header);
        Assert.Equal(Own, rig.Spans["/out"].SpanId);
    }

    /// <summary>A proxy hands the header on: the next hop's parent is the caller, and the call has an identity of its own.</summary>
    [Fact]
    public void A_header_that_is_handed_on_is_nobodys_own_identity()
    {
        var rig = new ParentRig();
        rig.Request(1, "/in", Field);
        rig.Call(1, "/out", Field);
        rig.Response(1, "/out");
        rig.Respond(1, "/in");
        rig.AssertParent("/out", "/in", ParentSource.Header);
        Assert.NotEqual(Caller, rig.Spans["/out"].SpanId);
    }

    [Fact]
    public void A_header_that_several_calls_have_is_the_identity_of_one()
    {
        var rig = new ParentRig();
        rig.Request(1, "/in");
        rig.Call(1, "/out/1", OwnField);
        rig.Response(1, "/out/1");
        rig.Call(1, "/out/2", OwnField);
        rig.Response(1, "/out/2");
        rig.Respond(1, "/in");
        Assert.Equal(Own, rig.Spans["/out/1"].SpanId);
        Assert.NotEqual(Own, rig.Spans["/out/2"].SpanId);
        rig.AssertParent("/out/2", "/in", ParentSource.Header);
    }

    /// <summary>The application begins a trace in a request that came without: the request is part of it.</summary>
    [Fact]
    public void A_trace_that_begins_in_a_request_is_the_requests()
    {
        var rig = new ParentRig();
        rig.Request(1, "/in");
        rig.Call(1, "/out", OwnField);
        rig.Response(1, "/out");
        rig.Respond(1, "/in");
        rig.AssertParent("/out", "/in", ParentSource.Thread);
        Assert.Equal((High, Low), (rig.Spans["/in"].TraceHigh, rig.Spans["/in"].TraceLow));
    }

    /// <summary>Of a runtime whose threads tell nothing the calls of one request are at least one trace.</summary>
    [Fact]
    public void Calls_of_one_trace_are_one_trace()
    {
        var rig = new ParentRig { Language = ProcessLanguage.Dotnet };
        rig.Request(1, "/in/1");
        rig.Request(1, "/in/2");
        rig.Call(3, "/out/1", Field);
        rig.Response(3, "/out/1");
        rig.Call(4, "/out/2", OwnField);
        rig.Response(4, "/out/2");
        rig.Respond(1, "/in/1");
        rig.Respond(1, "/in/2");
        Assert.True(rig.Spans["/out/1"].IsSameTrace(rig.Spans["/out/2"]));
        rig.AssertParent("/out/1", null, ParentSource.None);
        Assert.Equal((Caller, Own), (rig.Spans["/out/1"].SpanId, rig.Spans["/out/2"].SpanId));
    }

    /// <summary>The only request of the process: probably the calls are its own, and the trace that they name is the request's.</summary>
    [Fact]
    public void In_a_loop_the_trace_of_a_call_is_probably_that_of_the_only_request()
    {
        var rig = new ParentRig { Language = ProcessLanguage.Dotnet };
        rig.Request(1, "/in/1");
        rig.Request(1, "/in/0");
        rig.Call(3, "/first", "traceparent: 00-11111111111111111111111111111111-2222222222222222-00\r\n");
        rig.Response(3, "/first");
        rig.Respond(1, "/in/0");
        rig.Call(3, "/out/1", Field);
        rig.Response(4, "/out/1");
        rig.Request(1, "/in/2");
        rig.Call(4, "/out/2", OwnField);
        rig.Response(4, "/out/2");
        rig.Respond(1, "/in/1");
        rig.Respond(1, "/in/2");
        rig.AssertParent("/first", null, ParentSource.None);
        rig.AssertParent("/out/1", "/in/1", ParentSource.Agreement);
        rig.AssertParent("/out/2", "/in/1", ParentSource.Agreement);
        Assert.Equal((High, Low), (rig.Spans["/in/1"].TraceHigh, rig.Spans["/in/1"].TraceLow));
    }

    [Fact]
    public void Two_requests_of_one_trace_cannot_be_told_apart_by_it()
    {
        var rig = new ParentRig { Language = ProcessLanguage.NodeJs };
        rig.Request(1, "/in/1", Field);
        rig.Request(1, "/in/2", Field);
        rig.Call(1, "/out", OwnField);
        rig.Response(1, "/out");
        rig.Respond(1, "/in/1");
        rig.Request(1, "/in/3");
        rig.Call(1, "/late", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-2222222222222222-01\r\n");
        rig.Response(1, "/late");
        rig.Respond(1, "/in/2");
        Assert.Equal(0ul, rig.Spans["/out"].ParentId);
        Assert.Equal(0ul, rig.Spans["/late"].ParentId);
    }
}
