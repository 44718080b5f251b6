using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Tests.Tracing;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>When a span begins, when its handler could start, when it ends, and whose it is.</summary>
public class HttpTimeTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    [Fact]
    public void EachTimeIsThatOfItsBytes()
    {
        var rig = new Rig();
        var wire = rig.Wire;
        wire.Receive("\r\n");
        wire.Receive("GE");
        var start = (long)wire.Time;
        wire.Pid = 100;
        wire.Tid = 101;
        wire.Receive("T / HTTP/1.1\r\nContent-Length: 1\r\n\r\n");
        var handler = (long)wire.Time;
        wire.Pid = 200;
        wire.Tid = 201;
        wire.Receive("x");
        wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
        Assert.Empty(rig.Log.Lines);
        wire.Send("b");
        Assert.Equal((start, handler, (long)wire.Time), rig.Log.Times.Single());
        Assert.Equal((100, 101), rig.Log.Tasks.Single());
        Assert.Equal(("10.0.0.2:50000", "10.0.0.1:8080"), rig.Log.Peers.Single());
    }

    [Fact]
    public void ClientIsTheLocalSide()
    {
        var rig = new Rig();
        rig.Wire.Send("GET / HTTP/1.1\r\n\r\n");
        rig.Wire.Receive(Ok);
        Assert.Equal(("10.0.0.1:8080", "10.0.0.2:50000"), rig.Log.Peers.Single());
    }

    [Fact]
    public void BodyUntilCloseEndsWithItsLastBytes()
    {
        var rig = new Rig();
        rig.Wire.Send("GET / HTTP/1.0\r\n\r\n");
        rig.Wire.Receive("HTTP/1.0 200 OK\r\n\r\nabc");
        var end = (long)rig.Wire.Time;
        rig.Wire.Time += 5_000_000;
        rig.Wire.Shut(SocketDirection.Receive);
        rig.Wire.Close();
        Assert.Equal(end, rig.Log.Times.Single().End);
    }

    [Fact]
    public void CloseBeforeTheAnswerEndsTheSpan()
    {
        var rig = new Rig();
        rig.Wire.Receive("GET / HTTP/1.1\r\n\r\n");
        rig.Wire.Close();
        Assert.Equal((long)rig.Wire.Time, rig.Log.Times.Single().End);
    }

    [Fact]
    public void TimeLimitGivesOneSpanAndALateAnswerNone()
    {
        var rig = new Rig(new HttpOptions { RequestTimeout = TimeSpan.FromSeconds(2) });
        rig.Wire.Receive("GET /slow HTTP/1.1\r\n\r\nGET /next HTTP/1.1\r\n\r\n");
        var start = rig.Wire.Time;
        var other = rig.Connect(2);
        other.Time = start + 1_500_000_000;
        other.Receive("GET /other HTTP/1.1\r\n\r\n");
        rig.Tracer.Tick(start + 1_999_999_999);
        Assert.Empty(rig.Log.Lines);
        rig.Tracer.Tick(start + 2_000_000_000);
        Assert.Equal(["Server TimedOut GET /slow host= 1.1 408 0/-1", "Server TimedOut GET /next host= 1.1 408 0/-1"], rig.Log.Lines);
        Assert.Equal((long)start + 2_000_000_000, rig.Log.Times[0].End);
        other.Send(Ok);
        rig.Wire.Send(Ok + Ok);
        rig.Wire.Receive("GET /fast HTTP/1.1\r\n\r\n");
        rig.Wire.Send("HTTP/1.1 201 C\r\nContent-Length: 0\r\n\r\n");
        rig.Tracer.Tick(start + 60_000_000_000);
        Assert.Equal(["Server Complete GET /other host= 1.1 200 0/0", "Server Complete GET /fast host= 1.1 201 0/0"], rig.Log.Lines[2..]);
        rig.Wire.Close();
        other.Close();
        rig.AssertSettled();
    }

    [Fact]
    public void AnAnswerThatHasBegunDoesNotTimeOut()
    {
        var rig = new Rig(new HttpOptions { RequestTimeout = TimeSpan.FromSeconds(2) });
        rig.Wire.Receive("GET /long HTTP/1.1\r\n\r\n");
        rig.Wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
        rig.Tracer.Tick(rig.Wire.Time + 10_000_000_000);
        rig.Wire.Send("b");
        Assert.Equal(["Server Complete GET /long host= 1.1 200 0/2"], rig.Log.Lines);
    }

    [Fact]
    public void WithoutTimeLimitNothingTimesOut()
    {
        var rig = new Rig();
        rig.Wire.Receive("GET /long HTTP/1.1\r\n\r\n");
        rig.Tracer.Tick(rig.Wire.Time + 3_000_000_000_000);
        rig.Wire.Send(Ok);
        Assert.Equal(["Server Complete GET /long host= 1.1 200 0/0"], rig.Log.Lines);
    }

    [Fact]
    public void MoreThanFitsInThePipelineIsLostAndCounted()
    {
        var rig = new Rig(new HttpOptions { MaxPipelined = 3 });
        rig.Wire.Receive(string.Concat(Enumerable.Range(0, 10).Select(i => $"GET /{i} HTTP/1.1\r\n\r\n")));
        Assert.Equal((10, 7, 3), Spans(rig));
        rig.Wire.Send(Ok + Ok + Ok + Ok);
        rig.Wire.Receive("GET /after HTTP/1.1\r\n\r\n");
        rig.Wire.Send(Ok + Ok + Ok + Ok + Ok + Ok);
        rig.Wire.Send("HTTP/1.1 204 N\r\n\r\n");
        Assert.Equal(["/0", "/1", "/2", "/after"], rig.Log.Lines.Select(l => l.Split(' ')[3]));
        Assert.EndsWith("204 0/0", rig.Log.Lines[^1], StringComparison.Ordinal);
        Assert.Equal((11, 7, 0), Spans(rig));
        rig.Wire.Close();
        rig.AssertSettled();
    }

    /// <summary>
    /// Exactly one for each start line that was begun and could not be read; a connection that never spoke HTTP has none.
    /// </summary>
    [Fact]
    public void AStartLineThatIsDiscardedIsLostAndCounted()
    {
        var rig = new Rig();
        rig.Wire.Receive("GET foo\r\n");
        Assert.Equal((0, 0, 0), Spans(rig));
        rig.Wire.Receive("GE");
        rig.Wire.Miss(SocketDirection.Receive, 1);
        rig.Wire.Receive(" / HTTP/1.1\r\n\r\n");
        rig.Wire.Send(Ok);
        Assert.Equal((1, 1, 0), Spans(rig));
        rig.Wire.Receive("GET /1 HTTP/1.1\r\n\r\n");
        rig.Wire.Send(Ok);
        rig.Wire.Receive("GET /nonsense\r\n\r\n");
        rig.Wire.Send("HTTP/1.1 400 B\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal((3, 2, 0), Spans(rig));
        rig.Wire.Data(
            SocketDirection.Receive, [.. new string('\n', 100).Select(c => (byte)c), .. "GET /2 HTTP/1.1\r\n\r\n"u8], 50, hasTail: false);
        rig.Wire.Send(Ok);
        rig.Wire.Receive("GET /3 HTTP/1.1\r\n\r\n");
        rig.Wire.Send(Ok);
        Assert.Equal(["/1", "/3"], rig.Log.Lines.Select(l => l.Split(' ')[3]));
        rig.Wire.Close();
        rig.AssertSettled();
    }

    private static (long Produced, long Lost, long Held) Spans(Rig rig)
    {
        var count = rig.Http.Count();
        return (count.Produced, count.Lost, count.Held);
    }
}
