using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Tracing.Parents;

/// <summary>Go programs, whose goroutines run on any thread: the goroutine tells which request a call belongs to.</summary>
public class GoroutineTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Fact]
    public void A_call_that_another_goroutine_sends_belongs_to_the_request_of_the_one_that_asked()
    {
        var rig = new ParentRig();
        Request(rig, 10, "/in/1");
        Request(rig, 11, "/in/2");
        Call(rig, 10, "/out/1");
        Call(rig, 11, "/out/2");
        Response(rig, 900, "/out/2");
        Response(rig, 900, "/out/1");
        Call(rig, 10, "/out/1b");
        Response(rig, 901, "/out/1b");
        Respond(rig, 11, "/in/2");
        Respond(rig, 10, "/in/1");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Goroutine);
        rig.AssertParent("/out/1b", "/in/1", ParentSource.Goroutine);
        rig.AssertParent("/out/2", "/in/2", ParentSource.Goroutine);
    }

    [Fact]
    public void A_query_that_a_goroutine_sends_itself_has_a_parent()
    {
        var rig = new ParentRig();
        Request(rig, 10, "/in/1");
        Request(rig, 11, "/in/2");
        rig.On(1, "redis").Named = ProtocolId.Redis;
        rig.Go(10, "redis").Flags = SocketEventFlags.Fresh;
        rig.Go(10, "redis").Send("*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
        rig.Go(10, "redis").Receive("$1\r\nx\r\n");
        Respond(rig, 10, "/in/1");
        Respond(rig, 11, "/in/2");
        rig.AssertParent("GET", "/in/1", ParentSource.Goroutine);
    }

    [Fact]
    public void A_goroutine_that_the_one_of_a_request_has_started_works_for_it()
    {
        var rig = new ParentRig();
        Request(rig, 10, "/in/1");
        Request(rig, 11, "/in/2");
        Call(rig, 50, "/out/1", parent: 10);
        Response(rig, 900, "/out/1");
        Call(rig, 51, "/out/2", parent: 11);
        Response(rig, 901, "/out/2");
        Respond(rig, 10, "/in/1");
        Respond(rig, 11, "/in/2");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Agreement);
        rig.AssertParent("/out/2", "/in/2", ParentSource.Agreement);
    }

    /// <summary>The goroutine of a connection was started by whoever used that first.</summary>
    [Fact]
    public void Who_started_the_goroutine_that_sends_says_nothing()
    {
        var rig = new ParentRig();
        Request(rig, 10, "/in/1");
        Request(rig, 11, "/in/2");
        rig.Go(900, "/out/1", parent: 10).Send("GET /out/1 HTTP/1.1\r\nHost: b\r\n\r\n");
        Response(rig, 900, "/out/1");
        Respond(rig, 10, "/in/1");
        Respond(rig, 11, "/in/2");
        rig.AssertParent("/out/1", null, ParentSource.None);
    }

    [Fact]
    public void A_goroutine_works_for_the_request_that_it_has_read_last()
    {
        var rig = new ParentRig();
        Request(rig, 12, "/in/other");
        Request(rig, 10, "/in/1");
        Respond(rig, 10, "/in/1");
        Call(rig, 10, "/between");
        Response(rig, 900, "/between");
        Request(rig, 10, "/in/2");
        Call(rig, 10, "/out/2");
        Response(rig, 900, "/out/2");
        Respond(rig, 10, "/in/2");
        Respond(rig, 12, "/in/other");
        rig.AssertParent("/out/2", "/in/2", ParentSource.Goroutine);
        // Two are open when it is made, none of them its own.
        Assert.NotEqual(ParentSource.Goroutine, rig.Spans["/between"].Source);
    }

    /// <summary>net/http has another goroutine wait for the first byte of the next request.</summary>
    [Fact]
    public void The_goroutine_that_reads_the_end_of_the_head_serves_the_request()
    {
        var rig = new ParentRig();
        Request(rig, 11, "/in/2");
        rig.Go(77, "/in/1").Receive("G");
        rig.Go(10, "/in/1").Receive("ET /in/1 HTTP/1.1\r\nHost: a\r\n\r\n");
        Call(rig, 10, "/out/1");
        Response(rig, 900, "/out/1");
        Respond(rig, 10, "/in/1");
        Respond(rig, 11, "/in/2");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Goroutine);
    }

    /// <summary>The kernel side tells of the caller with the first bytes only.</summary>
    [Fact]
    public void A_head_that_is_sent_in_two_operations_has_its_caller()
    {
        var rig = new ParentRig();
        Request(rig, 10, "/in/1");
        Request(rig, 11, "/in/2");
        rig.Go(10, "/out/1", called: true).Send("GET /out/1 HTTP/1.1\r\nHost: b\r\nCookie: a");
        rig.Go(900, "/out/1", parent: 11).Send("bc\r\n\r\n");
        Response(rig, 900, "/out/1");
        Respond(rig, 10, "/in/1");
        Respond(rig, 11, "/in/2");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Goroutine);
    }

    [Fact]
    public void What_an_earlier_request_has_started_does_not_work_for_a_later_one()
    {
        var rig = new ParentRig();
        Request(rig, 12, "/in/other");
        Request(rig, 10, "/in/1");
        Call(rig, 20, "/out/1", parent: 10);
        Response(rig, 900, "/out/1");
        Respond(rig, 10, "/in/1");
        Request(rig, 1_000_000, "/in/new");
        Request(rig, 10, "/in/2");
        Call(rig, 20, "/poll", parent: 10);
        Response(rig, 900, "/poll");
        Call(rig, 1_000_001, "/out/2", parent: 10);
        Response(rig, 900, "/out/2");
        Respond(rig, 10, "/in/2");
        Respond(rig, 12, "/in/other");
        Respond(rig, 1_000_000, "/in/new");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Agreement);
        rig.AssertParent("/poll", null, ParentSource.None);
        rig.AssertParent("/out/2", "/in/2", ParentSource.Agreement);
    }

    /// <summary>Go before 1.21 does not keep who started a goroutine.</summary>
    [Fact]
    public void A_goroutine_of_which_nothing_is_known_may_belong_to_the_only_request()
    {
        var rig = new ParentRig();
        Request(rig, 10, "/in/1");
        Call(rig, 50, "/out/1");
        Response(rig, 900, "/out/1");
        Request(rig, 11, "/in/2");
        Call(rig, 51, "/out/2");
        Response(rig, 900, "/out/2");
        Respond(rig, 11, "/in/2");
        Call(rig, 52, "/out/3", parent: 1);
        Response(rig, 900, "/out/3");
        Respond(rig, 10, "/in/1");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Agreement);
        rig.AssertParent("/out/2", null, ParentSource.None);
        rig.AssertParent("/out/3", null, ParentSource.None);
    }

    [Fact]
    public void The_same_number_in_another_process_is_another_goroutine()
    {
        var rig = new ParentRig();
        Request(rig, 10, "/in/1");
        rig.Pid = 77;
        Call(rig, 10, "/out/1");
        Response(rig, 10, "/out/1");
        rig.AssertParent("/out/1", null, ParentSource.None);
    }

    [Fact]
    public void A_trace_that_the_application_begins_becomes_that_of_the_request()
    {
        const string trace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
        var rig = new ParentRig();
        Request(rig, 11, "/in/2");
        Request(rig, 10, "/in/1");
        Call(rig, 10, "/out/1", fields: trace);
        Response(rig, 900, "/out/1");
        Respond(rig, 10, "/in/1");
        rig.AssertParent("/out/1", "/in/1", ParentSource.Goroutine);
        Assert.Equal((0x0af7651916cd43ddul, 0xb7ad6b7169203331ul), (rig.Spans["/in/1"].TraceHigh, rig.Spans["/out/1"].SpanId));
    }

    private static void Request(ParentRig rig, ulong goroutine, string path) =>
        rig.Go(goroutine, path).Receive($"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");

    private static void Respond(ParentRig rig, ulong goroutine, string path) => rig.Go(goroutine, path).Send(Ok);

    private static void Call(ParentRig rig, ulong goroutine, string path, ulong parent = 0, string fields = "") =>
        rig.Go(goroutine, path, parent, called: true).Send($"GET {path} HTTP/1.1\r\nHost: b\r\n{fields}\r\n");

    private static void Response(ParentRig rig, ulong goroutine, string path) => rig.Go(goroutine, path).Receive(Ok);
}
