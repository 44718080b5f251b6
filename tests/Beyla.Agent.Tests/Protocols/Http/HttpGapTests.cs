using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Tests.Tracing;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>Operations without an event: the sequence numbers tell that they were.</summary>
public class HttpGapTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    private readonly Rig rig = new();

    private Wire Wire => rig.Wire;

    [Fact]
    public void LostAnswer()
    {
        Wire.Receive("GET /a HTTP/1.1\r\n\r\n");
        Wire.Miss(SocketDirection.Send, 100);
        Wire.Receive("GET /b HTTP/1.1\r\n\r\n");
        Wire.Send(Ok);
        Expect("Server Unfinished GET /a host= 1.1 0 0/-1", "Server Complete GET /b host= 1.1 200 0/0");
    }

    [Fact]
    public void TwoLostAnswersAndOneLostRequest()
    {
        Wire.Receive("GET /a HTTP/1.1\r\n\r\n");
        Wire.Miss(SocketDirection.Send, 100);
        Wire.Miss(SocketDirection.Receive, 50);
        Wire.Miss(SocketDirection.Send, 70);
        Wire.Receive("GET /c HTTP/1.1\r\n\r\n");
        Wire.Send(Ok);
        Expect("Server Unfinished GET /a host= 1.1 0 0/-1", "Server Complete GET /c host= 1.1 200 0/0");
    }

    [Fact]
    public void LostRequestLeavesItsAnswerWithoutSpan()
    {
        Wire.Receive("GET /a HTTP/1.1\r\n\r\n");
        Wire.Send(Ok);
        Wire.Miss(SocketDirection.Receive, 50);
        Wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlost");
        Wire.Receive("GET /c HTTP/1.1\r\n\r\n");
        Wire.Send(Ok);
        Expect("Server Complete GET /a host= 1.1 200 0/0", "Server Complete GET /c host= 1.1 200 0/0");
    }

    /// <summary>
    /// What is captured of one operation ends in the request line, the head or between two of many requests: the bytes after it are
    /// counted.
    /// </summary>
    [Theory, InlineData(35), InlineData(42), InlineData(50), InlineData(56)]
    public void PipelinedRequestsBeyondTheCapturedBytesAreCounted(int captured)
    {
        const string request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
        Wire.Data(SocketDirection.Receive,
            System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(request, 10))), captured, hasTail: false);
        Assert.Contains(new PlaceCounters("requests.http", "bytes", 280 - captured, Lost: 280 - captured), rig.Tracer.Count());
    }

    /// <summary>One request with a head that is longer than what is captured is there, and nothing is missing.</summary>
    [Fact]
    public void ALongHeadCountsNothing()
    {
        Wire.Data(SocketDirection.Receive,
            System.Text.Encoding.ASCII.GetBytes("GET /a HTTP/1.1\r\nX: " + new string('x', 10_000) + "\r\n\r\n"), 8191);
        Wire.Send(Ok);
        Assert.DoesNotContain(rig.Tracer.Count(), place => place.Place == "requests.http");
        Expect("Server Complete GET /a host= 1.1 200 -1/0");
    }

    /// <summary>A byte of urgent data has a number and is no part of the request line, the head, the body or the answer.</summary>
    [Fact]
    public void UrgentBytesAreNoGap()
    {
        Wire.Receive("POST /a");
        Wire.Urgent(SocketDirection.Receive);
        Wire.Receive(" HTTP/1.1\r\nContent-");
        Wire.Urgent(SocketDirection.Receive);
        Wire.Receive("Length: 4\r\n\r\nab");
        Wire.Urgent(SocketDirection.Receive);
        Wire.Receive("cd");
        Wire.Send("HTTP/1.1 200");
        Wire.Urgent(SocketDirection.Send);
        Wire.Send(" OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r");
        Wire.Urgent(SocketDirection.Send);
        Wire.Send("\nabcd\r\n0\r\n\r\n");
        Wire.Urgent(SocketDirection.Receive);
        Wire.Receive("GET /b HTTP/1.1\r\n\r\n");
        Wire.Send(Ok);
        Expect("Server Complete POST /a host= 1.1 200 4/4", "Server Complete GET /b host= 1.1 200 0/0");
    }

    [Fact]
    public void BodiesByNumberOnly()
    {
        Wire.Receive("POST /a HTTP/1.1\r\nContent-Length: 1000\r\n\r\nx");
        Wire.Miss(SocketDirection.Receive, 990);
        Wire.Receive("123456789");
        Wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
        Wire.Miss(SocketDirection.Send, 4999);
        Wire.Send("x");
        Expect("Server Complete POST /a host= 1.1 200 1000/5000");
    }

    [Fact]
    public void WholeBodyUnseenUntilTheNextRequest()
    {
        Wire.Receive("GET /file HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
        var seen = (long)Wire.Time;
        Wire.Miss(SocketDirection.Send, 5000);
        Wire.Receive("GET /next HTTP/1.1\r\n\r\n");
        Wire.Send(Ok);
        Assert.Equal(seen, rig.Log.Times[0].End);
        Expect("Server Unfinished GET /file host= 1.1 200 0/5000", "Server Complete GET /next host= 1.1 200 0/0");
    }

    [Fact]
    public void WholeBodyUnseenUntilTheClose()
    {
        Wire.Receive("GET /file HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
        Wire.Miss(SocketDirection.Send, 5000);
        Wire.Close();
        Expect("Server Unfinished GET /file host= 1.1 200 0/5000");
    }

    [Fact]
    public void UnknownLengthComesFromThePositions()
    {
        Wire.Receive("GET /c HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        Wire.Miss(SocketDirection.Send, 90);
        Wire.Receive("GET /d HTTP/1.1\r\n\r\n");
        Wire.Send(Ok);
        Expect("Server Unfinished GET /c host= 1.1 200 0/100", "Server Complete GET /d host= 1.1 200 0/0");
    }

    [Fact]
    public void MissingInsideAChunk()
    {
        Wire.Receive("GET /c HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n");
        Wire.Miss(SocketDirection.Send, 100);
        Wire.Send("\r\n0\r\n\r\n");
        Expect("Server Complete GET /c host= 1.1 200 0/100");
    }

    [Fact]
    public void MissingInTheHeads()
    {
        Wire.Receive("GET /a HTTP/1.1\r\nHost: h\r\nX: ");
        Wire.Miss(SocketDirection.Receive, 20);
        Wire.Send("HTTP/1.1 200 OK\r\nX: ");
        Wire.Miss(SocketDirection.Send, 20);
        Wire.Receive("GET /b HTTP/1.1\r\n\r\n");
        Wire.Send(Ok);
        Expect("Server Unfinished GET /a host=h 1.1 200 -1/-1", "Server Complete GET /b host= 1.1 200 0/0");
    }

    [Fact]
    public void AnswerOfAnotherThreadReportedLate()
    {
        // At the end of a system call the positions have moved on, but the event of a send that is still under way comes later.
        Wire.Receive("GET /a HTTP/1.1\r\n\r\n");
        var request = Wire.Event(SocketEventKind.Data, SocketDirection.Receive);
        request.Opposite += (uint)Ok.Length;
        request.Length = request.Captured = 19;
        rig.Tracer.OnSocketEvent(in request, "GET /b HTTP/1.1\r\n\r\n"u8);
        Wire.ReceiveNext += 19;
        Wire.Send(Ok);
        Wire.Send("HTTP/1.1 204 No\r\n\r\n");
        Expect("Server Complete GET /a host= 1.1 200 0/0", "Server Complete GET /b host= 1.1 204 0/0");
    }

    [Fact]
    public void FinIsNoGap()
    {
        Wire.Receive("GET /a HTTP/1.0\r\n\r\n");
        Wire.Send("HTTP/1.0 200 OK\r\n\r\nbody");
        Wire.Shut(SocketDirection.Receive);
        Assert.Empty(rig.Log.Lines);
        Wire.Shut(SocketDirection.Send);
        Expect("Server Complete GET /a host= 1.0 200 0/4");
    }

    /// <summary>Whatever single operation is missing, the exchange after the next request is right and nothing stays behind.</summary>
    [Theory]
    [MemberData(nameof(HttpCutTests.Names), MemberType = typeof(HttpCutTests))]
    public void EachOperationMissing(string name)
    {
        var exchange = HttpCorpus.All.Single(c => c.Name == name);
        for (var missing = 0; missing < exchange.Steps.Length; missing++)
        {
            var run = new Rig(new HttpOptions());
            for (var i = 0; i < exchange.Steps.Length; i++)
            {
                var step = exchange.Steps[i];
                if (i == missing && step.Kind is '<' or '>')
                {
                    run.Wire.Miss(step.Kind == '<' ? SocketDirection.Receive : SocketDirection.Send, step.Data.Length);
                }
                else
                {
                    HttpCutTests.Apply(step, run.Wire);
                }
            }

            // One operation can hold three requests; and without the 101 a request in the frames of a WebSocket counts as one, without its
            // head a body.
            run.Wire.Close();
            Assert.InRange(run.Log.Lines.Count, Math.Max(0, exchange.Spans.Length - 3),
                exchange.Spans.Length + (name == "websocket" || name.Contains("a request after", StringComparison.Ordinal) ? 1 : 0));
            run.AssertSettled();
        }
    }

    private void Expect(params string[] spans)
    {
        Assert.Equal(spans, rig.Log.Lines);
        Wire.Close();
        Assert.Equal(spans, rig.Log.Lines);
        rig.AssertSettled();
    }
}
