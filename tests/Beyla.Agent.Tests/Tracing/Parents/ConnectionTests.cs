namespace Beyla.Agent.Tests.Tracing.Parents;

/// <summary>Both ends of a connection are traced: the request that the one reads is the call that the other one made.</summary>
public class ConnectionTests
{
    private const string Request = "GET /b HTTP/1.1\r\nHost: b\r\n\r\n", Response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Fact]
    public void A_request_is_the_call_of_the_other_end()
    {
        var (rig, caller, server) = Connect();
        rig.Request(1, "/a");
        caller.Send(Request);
        server.Receive(Request);
        rig.Pid = 99;
        rig.CallAndResponse(5, "/c");
        rig.Pid = 42;
        server.Send(Response);
        caller.Receive(Response);
        rig.Respond(1, "/a");
        AssertChain(rig);
    }

    /// <summary>Each request of a connection is found anew.</summary>
    [Fact]
    public void Each_request_has_its_own_call()
    {
        var (rig, caller, server) = Connect();
        for (var i = 0; i < 3; i++)
        {
            caller.Send(Request);
            server.Receive(Request);
            server.Send(Response);
            caller.Receive(Response);
            var (read, call) = (rig.Log[2 * i], rig.Log[(2 * i) + 1]);
            Assert.Equal((call.SpanId, ParentSource.Connection), (read.ParentId, read.Source));
            Assert.True(read.IsSameTrace(in call));
        }
    }

    [Theory]
    [InlineData(1u, false, "")] // other bytes of that connection
    [InlineData(0u, true, "")] // between other ends
    [InlineData(0u, false, "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\n")] // says itself whose it is
    public void Another_request_is_not(uint shift, bool isElsewhere, string field)
    {
        var (rig, caller, server) = Connect(shift, isElsewhere);
        caller.Send(Request);
        server.Receive(Request.Replace("Host", field + "Host", StringComparison.Ordinal));
        server.Send(Response);
        Assert.NotEqual(ParentSource.Connection, Assert.Single(rig.Log).Source);
    }

    [Fact]
    public void A_call_that_is_over_is_nobodys_parent()
    {
        var (rig, caller, server) = Connect();
        caller.Send(Request);
        caller.Close();
        server.Receive(Request);
        server.Send(Response);
        Assert.Equal(ParentSource.None, rig.Log[1].Source);
    }

    /// <summary>The call's own trace is not settled yet: what follows from it would have to change.</summary>
    [Fact]
    public void A_call_whose_parent_is_not_known_yet_is_nobodys_parent()
    {
        var (rig, caller, server) = Connect();
        rig.Language = ProcessLanguage.NodeJs;
        rig.Request(2, "/a1");
        rig.Request(1, "/a2");
        caller.Send(Request);
        server.Receive(Request);
        server.Send(Response);
        Assert.Equal(ParentSource.None, Assert.Single(rig.Log).Source);
    }

    private static (ParentRig Rig, Wire Caller, Wire Server) Connect(uint shift = 0, bool isElsewhere = false)
    {
        var rig = new ParentRig();
        return (rig, new Wire(rig.Tracer, 801, receive: 70, send: 30) { Pid = 42, Tid = 1, Time = 1_500_000 },
            new Wire(rig.Tracer, 802, receive: 30 + shift, send: 70) { Pid = 99, Tid = 5, Time = 1_600_000, IsOtherEnd = !isElsewhere });
    }

    /// <summary>/a of one process calls /b of another one, which calls /c.</summary>
    private static void AssertChain(ParentRig rig)
    {
        var (c, served, call, a) = (rig.Spans["/c"], rig.Log[1], rig.Log[2], rig.Spans["/a"]);
        Assert.Equal((a.SpanId, ParentSource.Thread), (call.ParentId, call.Source));
        Assert.Equal((call.SpanId, ParentSource.Connection), (served.ParentId, served.Source));
        Assert.Equal((served.SpanId, ParentSource.Thread), (c.ParentId, c.Source));
        Assert.Single(rig.Log.Select(static context => (context.TraceHigh, context.TraceLow)).Distinct());
    }
}
