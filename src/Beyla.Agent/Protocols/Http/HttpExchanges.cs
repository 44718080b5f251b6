using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// The life cycle of the exchanges of one connection: opened by a request line, answered by a status, over with the end of the answer,
/// and reported once. It knows those without a complete answer, in the order of their requests, which is that of the answers (RFC 9112
/// section 9.3.2). It never looks at bytes: where a message begins and ends, and what is a guess, others tell it.
/// </summary>
internal sealed class HttpExchanges(ExchangeLedger<HttpExchange> ledger, HttpConversation owner)
{
    /// <summary>The status of a request that has none in time (RFC 9110 section 15.5.9), as Grafana Beyla reports it.</summary>
    private const int RequestTimeout = 408;

    private Connection connection = null!;
    private ExchangeQueue<HttpExchange> queue;
    private long startTime, startGoroutine;
    private uint startBoundary, startSequence;
    private int startPid, startTid;

    /// <summary>The exchange whose answer comes next.</summary>
    public HttpExchange? First => queue.First;

    /// <summary>The exchange whose request is being read; null when it was answered already or had no room.</summary>
    public HttpExchange? Receiving { get; private set; }

    /// <summary>Ready for a connection that has no exchange yet.</summary>
    public void Begin(Connection followed)
    {
        connection = followed;
        Receiving = null;
    }

    /// <summary>The first bytes of what may be a request line: the exchange will have begun here.</summary>
    public void NoteStart(in Segment segment)
    {
        startTime = segment.Time;
        startBoundary = segment.Opposite;
        startSequence = connection.SequenceOf(in segment);
        startPid = segment.Pid;
        startTid = segment.Tid;
        startGoroutine = segment.Goroutine;
    }

    /// <summary>
    /// A request line was seen. Beyond the limit of the connection the request only counts as lost, and its answer is passed over.
    /// </summary>
    public void Open(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, byte minor)
    {
        Receiving = queue.Open(ledger, owner, startTime);
        if (Receiving is not { } exchange)
        {
            return;
        }

        exchange.Boundary = startBoundary;
        exchange.Sequence = startSequence;
        exchange.MinorVersion = minor;
        exchange.IsHead = method.SequenceEqual("HEAD"u8);
        exchange.IsConnect = method.SequenceEqual("CONNECT"u8);
        exchange.SetTarget(method, target, ledger.Buffers);
        exchange.Pid = startPid;
        exchange.Tid = startTid;
        exchange.Goroutine = startGoroutine;
        exchange.RequestBody = -1;
        ledger.TellOpened(exchange, connection);
    }

    /// <summary>The head of the request is there: from now on the handler can work, in the task that read its end.</summary>
    public void EndHead(in Segment segment)
    {
        if (Receiving is not { } exchange)
        {
            return;
        }

        exchange.HandlerStart = segment.Time;
        if (!segment.IsGap)
        {
            var moved = exchange.Pid != segment.Pid;
            exchange.Pid = segment.Pid;
            exchange.Tid = segment.Tid;
            exchange.Goroutine = segment.Goroutine;
            if (moved)
            {
                ledger.TellOpened(exchange, connection);
            }
        }

        ledger.TellBegun(exchange, connection, in exchange.Header);
    }

    /// <summary>The request is there.</summary>
    /// <param name="body">Bytes of its body; -1 when unknown.</param>
    public void EndRequest(long body)
    {
        if (Receiving is not null)
        {
            Receiving.RequestBody = body;
            Receiving = null;
        }
    }

    /// <summary>A status line of the first exchange was read.</summary>
    /// <param name="status">100 to 999.</param>
    /// <returns>Whether it is that of the answer, not of an interim one (RFC 9110 section 15.2).</returns>
    public bool Answer(int status)
    {
        var exchange = First!;
        exchange.IsUnreadable = false;
        if (status is < 200 and not 101)
        {
            exchange.IsContinued |= status == 100;
            return false;
        }

        exchange.Status = status;
        ledger.TellAnswered(exchange);
        return true;
    }

    /// <summary>
    /// A status line of the first exchange was seen that cannot be read. Its head tells all the same where the answer ends.
    /// </summary>
    public void AnswerUnreadably()
    {
        First!.IsUnreadable = true;
        ledger.TellAnswered(First);
    }

    /// <summary>Reports the first exchange and goes on to the next.</summary>
    /// <param name="outcome">How it ended.</param>
    /// <param name="end">When; 0 when only the time of what was seen last is known.</param>
    /// <param name="requestBody">Bytes of the request's body until now, when it is still being read.</param>
    /// <param name="responseBody">Bytes of the answer's body.</param>
    public void Finish(SpanOutcome outcome, long end, long requestBody, long responseBody)
    {
        var exchange = First!;
        if (exchange == Receiving)
        {
            // The answer is there before the request is complete: what was received until now counts.
            EndRequest(requestBody);
        }

        end = end != 0 ? end : Math.Max(exchange.LastSeen, Math.Max(exchange.HandlerStart, exchange.Start));
        Report(exchange, outcome, exchange.Status, end, exchange.Status == 0 ? -1 : responseBody);
        if (!queue.Close(exchange, ledger))
        {
            exchange.ForgetResponse();
        }
    }

    /// <summary>What follows on the connection is another protocol, which is not followed.</summary>
    public void HandOver() => connection.HandOver(ProtocolId.Foreign);

    /// <summary>No answer in time: the span is handed out now, the exchange stays so that a late answer finds its place.</summary>
    public void TimeOut(HttpExchange exchange, long end, long requestBody)
    {
        if (exchange == Receiving)
        {
            exchange.RequestBody = requestBody;
        }

        Report(exchange, SpanOutcome.TimedOut, RequestTimeout, end, -1);
    }

    /// <summary>Gives up what is open for want of room.</summary>
    public void Lose() => queue.Lose(ledger);

    /// <summary>Memory is tight: texts that can be shortened are.</summary>
    public void Shorten()
    {
        for (var exchange = First; exchange is not null; exchange = exchange.Following)
        {
            exchange.Shorten(ledger.Buffers);
        }
    }

    /// <summary>Gives everything back.</summary>
    public void Release()
    {
        queue.Release(ledger);
        Receiving = null;
        connection = null!;
    }

    private void Report(HttpExchange exchange, SpanOutcome outcome, int status, long end, long responseBody)
    {
        if (ledger.Begin(exchange))
        {
            var isServer = connection.RequestDirection == SocketDirection.Receive;
            HttpSpan.Describe(exchange, ledger.Values, isServer, outcome, status, responseBody);
            ledger.Report(exchange, connection, outcome, end);
        }
    }
}
