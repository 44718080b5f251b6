using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// The life cycle of the exchanges of one connection: opened by Query, Execute or FunctionCall, over with their response, and reported
/// once. Responses come in the order of the requests; <see cref="Expected"/> is that order. It never looks at bytes.
/// </summary>
/// <param name="protocol">Takes the spans.</param>
/// <param name="session">Of the connection.</param>
/// <param name="owner">The conversation.</param>
internal sealed class PostgresExchanges(PostgresProtocol protocol, PostgresSession session, Conversation owner)
{
    private readonly ExchangeLedger<PostgresExchange> ledger = protocol.Ledger;
    private Connection connection = null!;
    private ExchangeQueue<PostgresExchange> queue;
    private bool isInDoubt;

    /// <summary>The exchange whose response comes next.</summary>
    public PostgresExchange? First => queue.First;

    /// <summary>What the server has yet to respond to.</summary>
    public ExpectedResponses Expected { get; } = new(protocol.Ledger.Buffers);

    /// <summary>
    /// Requests and responses fit together: it is a fact that the connection speaks PostgreSQL. Before that no span is handed out.
    /// </summary>
    public bool IsSettled { get; private set; }

    /// <summary>It is not known which request the next response belongs to: none is taken as that of any.</summary>
    public bool IsInDoubt => isInDoubt || Expected.First == Postgres.Expected.Unknown;

    /// <summary>Ready for a connection that has no exchange yet.</summary>
    public void Begin(Connection followed, bool isSettled)
    {
        connection = followed;
        IsSettled = isSettled;
        isInDoubt = false;
    }

    /// <summary>The connection speaks PostgreSQL.</summary>
    public void Settle() => IsSettled = true;

    /// <summary>A request is complete that makes a span.</summary>
    /// <param name="expected">Query, Execute or Function.</param>
    /// <param name="statement">Its statement, whose reference is taken over; null when it is not known.</param>
    /// <param name="start">First byte of the request, or of the Parse or Bind that belongs to it.</param>
    /// <param name="segment">Ends the request.</param>
    public void Open(Expected expected, StatementText? statement, long start, in Segment segment)
    {
        if (queue.Count >= ledger.MaxPipelined)
        {
            ledger.CountUnread();
            protocol.Texts.Release(statement);
            Add(expected | Postgres.Expected.Unread);
            return;
        }

        var exchange = ledger.Create(owner, start);
        exchange.HandlerStart = segment.Time;
        exchange.Pid = segment.Pid;
        exchange.Tid = segment.Tid;
        exchange.Goroutine = segment.Goroutine;
        exchange.Statement = statement;
        queue.Add(exchange);
        ledger.TellOpened(exchange, connection);
        ledger.TellBegun(exchange, connection);
        Add(expected);
    }

    /// <summary>A request has a response that counts.</summary>
    public void Add(Expected expected)
    {
        if (!Expected.TryAdd(expected))
        {
            Doubt(0);
        }
    }

    /// <summary>
    /// Requests passed unseen behind those that are expected: responses count for these, and none after them until <see cref="EndDoubt"/>.
    /// </summary>
    public void Miss()
    {
        if (Expected.Last != Postgres.Expected.Unknown)
        {
            Add(Postgres.Expected.Unknown);
        }
    }

    /// <summary>The response to the first expected request is complete.</summary>
    /// <param name="outcome">How it ended.</param>
    /// <param name="end">When; 0 when only the time of what was seen last is known.</param>
    public void Finish(SpanOutcome outcome, long end)
    {
        if ((Expected.Take() & Postgres.Expected.Unread) == 0 && queue.Dequeue() is { } exchange)
        {
            Report(exchange, outcome, end);
        }
    }

    /// <summary>Ends everything that is open.</summary>
    /// <param name="outcome">How.</param>
    /// <param name="end">When; 0 when only the time of what was seen last is known.</param>
    public void FinishAll(SpanOutcome outcome, long end)
    {
        while (queue.Dequeue() is { } exchange)
        {
            Report(exchange, outcome, end);
        }

        Expected.Clear();
    }

    /// <summary>The connection is over. Where responses can not be told apart it is not known which of them have come.</summary>
    /// <param name="time">When.</param>
    public void End(long time)
    {
        var isUnfinished = IsInDoubt;
        FinishAll(isUnfinished ? SpanOutcome.Unfinished : SpanOutcome.Closed, isUnfinished ? 0 : time);
    }

    /// <summary>What is open ends as far as it was seen, and no response counts until <see cref="EndDoubt"/>.</summary>
    public void Doubt(long end)
    {
        FinishAll(SpanOutcome.Unfinished, end);
        isInDoubt = true;
    }

    /// <summary>The connection was at rest: the next response is that of the next request.</summary>
    public void EndDoubt()
    {
        FinishAll(SpanOutcome.Unfinished, 0);
        isInDoubt = false;
    }

    /// <summary>No response in time: the span is handed out now, the exchange stays so that a late response finds its place.</summary>
    public void TimeOut(PostgresExchange exchange, long time)
    {
        if (IsSettled)
        {
            Tell(exchange, IsInDoubt ? SpanOutcome.Unfinished : SpanOutcome.TimedOut, time);
        }
        else
        {
            ledger.Lose(exchange);
        }
    }

    /// <summary>Reports a Parse that the server rejected and that no Execute belonged to.</summary>
    /// <param name="parse">The Parse; its statement's reference is taken over.</param>
    /// <param name="state">SQLSTATE.</param>
    /// <param name="end">When the response came.</param>
    public void ReportParse(in PendingParse parse, ReadOnlySpan<byte> state, long end)
    {
        var exchange = ledger.Create(owner, parse.Start);
        exchange.HandlerStart = parse.End;
        exchange.Pid = parse.Pid;
        exchange.Tid = parse.Tid;
        exchange.Goroutine = parse.Goroutine;
        exchange.Statement = parse.Statement;
        exchange.Fail(state);
        ledger.TellOpened(exchange, connection);
        ledger.TellBegun(exchange, connection);
        Report(exchange, SpanOutcome.Complete, end);
    }

    /// <summary>Gives up what is open for want of room.</summary>
    public void Lose() => queue.Lose(ledger);

    /// <summary>Memory is tight: texts that can be shortened are.</summary>
    public void Shorten()
    {
        for (var exchange = First; exchange is not null; exchange = (PostgresExchange?)exchange.Next)
        {
            exchange.Statement?.Shorten(ledger.Buffers);
        }
    }

    /// <summary>Gives everything back.</summary>
    public void Release()
    {
        while (queue.Dequeue() is { } exchange)
        {
            Return(exchange);
        }

        Expected.Clear();
        connection = null!;
    }

    private void Report(PostgresExchange exchange, SpanOutcome outcome, long end)
    {
        if (IsSettled)
        {
            Tell(exchange, outcome, Math.Max(end != 0 ? end : exchange.LastSeen, Math.Max(exchange.HandlerStart, exchange.Start)));
        }
        else
        {
            ledger.Lose(exchange);
        }

        Return(exchange);
    }

    private void Tell(PostgresExchange exchange, SpanOutcome outcome, long end)
    {
        if (ledger.Begin(exchange))
        {
            PostgresSpan.Fill(ledger.Values, exchange, session, outcome);
            ledger.Report(exchange, connection, outcome, end);
        }
    }

    private void Return(PostgresExchange exchange)
    {
        protocol.Texts.Release(exchange.Statement);
        exchange.Statement = null;
        ledger.Return(exchange);
    }
}
