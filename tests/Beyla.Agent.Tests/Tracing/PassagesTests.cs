using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>
/// Bytes that were sent without an event of their own: found in the memory of the kernel side, or told by the next event; each time the
/// response has its length and the time of its last byte, and what was lost is not taken for it.
/// </summary>
public sealed class PassagesTests
{
    private const string Request = "GET /f HTTP/1.1\r\nHost: h\r\n\r\n", Head = "HTTP/1.1 200 OK\r\nContent-Length: 800\r\n\r\n";
    private const string Whole = "Server Complete GET /f host=h 1.1 200 0/800";

    private readonly SpanLog log = new();
    private readonly Memory memory = new();
    private readonly HttpProtocol http;
    private readonly Tracer tracer;
    private readonly Wire wire;

    public PassagesTests()
    {
        var buffers = new BufferPool();
        http = new HttpProtocol(new HttpOptions(), log, buffers);
        tracer = new Tracer(new TracerOptions(), buffers, new NoVerdicts(), memory, http);
        wire = new Wire(tracer);
    }

    [Fact]
    public void ItIsThereWhenTheHeadIsRead()
    {
        wire.Receive(Request);
        memory.Until = wire.SendNext + (uint)Head.Length + 800;
        memory.Time = 77_000_000;
        wire.Send(Head);
        Assert.Equal([Whole], log.Lines);
        Assert.Equal(77_000_000, log.Times[0].End);
        wire.Pass(800);
        wire.Receive(Request); // tells of it once more
        Assert.Equal([Whole], log.Lines);
        wire.Close();
        AssertSettled(2);
    }

    [Fact]
    public void ItComesLaterInParts()
    {
        wire.Receive(Request);
        wire.Send(Head);
        tracer.LookAtPassed();
        Assert.Empty(log.Lines);
        memory.Until = wire.SendNext + 500;
        memory.Time = 5_000_000;
        tracer.LookAtPassed();
        Assert.Empty(log.Lines);
        memory.Until += 300;
        memory.Time = 9_000_000;
        tracer.LookAtPassed();
        Assert.Equal([Whole], log.Lines);
        Assert.Equal(9_000_000, log.Times[0].End);
        wire.Pass(800);
        wire.Close();
        AssertSettled(1);
    }

    [Theory]
    [InlineData("request")]
    [InlineData("response")]
    [InlineData("close")]
    [InlineData("shut")]
    public void TheNextEventTellsOfItWhereTheMemoryIsAnothers(string next)
    {
        wire.Receive(Request);
        wire.Send(Head);
        wire.Pass(500);
        wire.Pass(300);
        var end = (long)wire.Time;
        tracer.LookAtPassed();
        Assert.Empty(log.Lines);
        switch (next)
        {
            case "request":
                wire.Receive(Request);
                break;
            case "response":
                wire.Send("HTTP/1.1 100 Continue\r\n\r\n");
                break;
            case "shut":
                wire.Shut(SocketDirection.Send);
                break;
            default:
                wire.Close();
                break;
        }

        Assert.Equal([Whole], log.Lines);
        Assert.Equal(end, log.Times[0].End);
    }

    /// <summary>The event with the head was lost: nothing is known of a response, although its body is.</summary>
    [Fact]
    public void WhatWasLostBeforeItIsNotTakenForIt()
    {
        wire.Receive(Request);
        wire.Miss(SocketDirection.Send, Head.Length);
        memory.From = wire.SendNext;
        memory.Until = wire.SendNext + 800;
        tracer.LookAtPassed();
        wire.Pass(800);
        wire.Receive("GET /g HTTP/1.1\r\n\r\n");
        wire.Send("HTTP/1.1 204 No Content\r\n\r\n");
        wire.Close();
        Assert.Equal(["Server Unfinished GET /f host=h 1.1 0 0/-1", "Server Complete GET /g host= 1.1 204 0/0"], log.Lines);
        AssertSettled(2);
    }

    /// <summary>The memory is ahead of the ring: what an event that is still to be read tells comes first.</summary>
    [Fact]
    public void EventsThatWaitInTheRingComeFirst()
    {
        wire.Receive(Request);
        memory.Until = wire.SendNext + (uint)Head.Length + 800;
        memory.From = wire.SendNext + (uint)Head.Length;
        tracer.LookAtPassed();
        Assert.Empty(log.Lines);
        wire.Send(Head);
        Assert.Equal([Whole], log.Lines);
    }

    [Fact]
    public void ChunksWithBytesThatPass()
    {
        wire.Receive(Request);
        wire.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n320\r\n");
        wire.Pass(800);
        wire.Send("\r\n0\r\n\r\n");
        Assert.Equal([Whole], log.Lines);
        Assert.Equal((long)wire.Time, log.Times[0].End);
    }

    private void AssertSettled(int spans)
    {
        Assert.Equal(spans, log.Lines.Count);
        Assert.All(tracer.Count(), place => Assert.True(place.Balanced, place.ToString()));
        Assert.Equal((0, 0), (tracer.Connections, http.Buffers.Outstanding));
    }

    private sealed class Memory : IPassed
    {
        public uint? From { get; set; }

        public uint? Until { get; set; }

        public long Time { get; set; }

        public bool TryRead(ulong connection, uint known, out uint until, out long time)
        {
            (until, time) = (Until ?? 0, Time);
            return Until is { } end && (int)(end - known) > 0 && (From is not { } from || (int)(from - known) <= 0);
        }
    }
}
