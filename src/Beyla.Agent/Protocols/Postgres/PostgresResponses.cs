using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// What a server sends (PostgreSQL manual, "Message Flow"): which request a message responds to, and how that one ended. Where rows passed
/// unseen it goes on at an operation whose end or beginning is messages again.
/// </summary>
/// <param name="protocol">Gives buffers.</param>
/// <param name="session">Statements and portals.</param>
/// <param name="exchanges">Told how requests ended.</param>
/// <param name="requests">Know of COPY and of the last Parse.</param>
internal sealed class PostgresResponses(
    PostgresProtocol protocol, PostgresSession session, PostgresExchanges exchanges, PostgresRequests requests)
{
    private readonly MessageReader reader = new(protocol.Ledger.Buffers, true);
    private readonly byte[] state = new byte[PostgresExchange.StateLength];
    private bool isFailed, isUntold, hasState;
    private long errorTime, failedParse;

    /// <summary>The last thing that was seen is the end of all responses that were due.</summary>
    public bool IsAtRest { get; private set; }

    /// <summary>Messages passed unseen.</summary>
    public bool IsLost => reader.IsLost;

    /// <summary>What follows makes no span: it is encrypted, or a stream of replication.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Ready for a connection.</summary>
    public void Begin()
    {
        reader.Restart();
        IsOver = false;
        IsAtRest = true;
        EndGroup();
    }

    /// <summary>Reads a stretch.</summary>
    /// <param name="segment">Consumed.</param>
    /// <returns>Whether it could be read as messages.</returns>
    public bool Read(ref Segment segment)
    {
        if (!segment.IsGap && exchanges.First is { } first)
        {
            first.LastSeen = segment.Time;
        }

        if (requests.AwaitsEncryption && !TryGoOnClear(ref segment))
        {
            return true;
        }

        if (reader.IsLost && !TryResume(ref segment))
        {
            return true;
        }

        while (!IsOver)
        {
            switch (reader.Read(ref segment, out var body))
            {
                case ReadStep.Message:
                    OnMessage(body, segment.Time);
                    break;
                case ReadStep.Lost:
                    reader.Lose();
                    IsAtRest = false;
                    return TryFindEnd(ref segment);
                default:
                    return true;
            }
        }

        return true;
    }

    /// <summary>Gives everything back.</summary>
    public void Release() => reader.Restart();

    /// <summary>The response to SSLRequest or GSSENCRequest is one byte: N goes on in clear, S and G do not.</summary>
    private bool TryGoOnClear(ref Segment segment)
    {
        if (segment.Left == 0)
        {
            return false;
        }

        requests.AwaitsEncryption = false;
        var response = segment.Data.IsEmpty ? (byte)0 : segment.Data[0];
        if (response == 'E')
        {
            // An error of a server that does not know the request.
            return true;
        }

        segment.Skip(1);
        // An unseen response is encrypted or not: the next request tells.
        IsOver = response is not ((byte)'N' or 0);
        return !IsOver;
    }

    private bool TryResume(ref Segment segment)
    {
        var chain = segment.IsGap ? default : MessageChain.Walk(segment.Data, segment.Left, true);
        if (chain.IsProof || (chain.Messages == 1 && (chain.Ends || segment.IsAligned)))
        {
            reader.Restart();
            if (exchanges.Expected.Turns > 1)
            {
                exchanges.Doubt(segment.Time);
            }

            return true;
        }

        _ = TryFindEnd(ref segment);
        return false;
    }

    /// <summary>Looks whether the operation ends with ReadyForQuery; then the next one begins with a message.</summary>
    private bool TryFindEnd(ref Segment segment)
    {
        var end = segment.Unseen > 0 ? segment.Tail : segment.Data;
        var isReady = !segment.IsGap && MessageChain.EndsReady(end);
        if (isReady)
        {
            reader.Restart();
            OnReadyUnseen(end, segment.Time);
        }

        segment.SkipAll();
        return isReady;
    }

    private void OnMessage(ReadOnlySpan<byte> body, long time)
    {
        var type = reader.Type;
        if (type is (byte)'N' or (byte)'A' or (byte)'S')
        {
            // They come at any time and respond to nothing.
            return;
        }

        IsAtRest = type == 'Z';
        exchanges.Settle();
        if (exchanges.IsInDoubt)
        {
            return;
        }

        if (exchanges.First is { } first)
        {
            protocol.Ledger.StopTimer(first);
        }

        switch (type)
        {
            case (byte)'Z':
                OnReady(body, time);
                break;
            case (byte)'C':
                OnCommand(NulText.TryTake(ref body, out var tag) ? tag : default, time);
                break;
            case (byte)'I' or (byte)'s':
                OnCommand(default, time);
                break;
            case (byte)'E':
                OnError(body, time);
                break;
            case (byte)'1' when exchanges.Expected.First == Expected.Parse:
                TakeParse();
                break;
            case (byte)'G':
                OnCopyIn();
                break;
            case (byte)'W':
                exchanges.FinishAll(SpanOutcome.Upgraded, time);
                IsOver = true;
                break;
            default:
                break;
        }
    }

    private void TakeParse()
    {
        session.Statements.Settle(exchanges.Expected.Head);
        _ = exchanges.Expected.Take();
    }

    /// <summary>A statement is complete, or as much of its rows as was asked for.</summary>
    private void OnCommand(ReadOnlySpan<byte> tag, long time)
    {
        while (exchanges.Expected.First == Expected.Parse)
        {
            TakeParse();
        }

        var expected = exchanges.Expected.First;
        var kind = expected & ~Expected.Unread;
        if (kind is not (Expected.Query or Expected.Execute))
        {
            return;
        }

        var exchange = expected == kind ? exchanges.First : null;
        if (exchange is not null && CommandTag.Rows(tag) is >= 0 and var rows)
        {
            exchange.Rows = Math.Max(0, exchange.Rows) + rows;
        }

        if (CommandTag.IsOfStatements(tag))
        {
            session.OnCommand(tag, exchange?.Statement);
        }

        if (kind == Expected.Execute)
        {
            exchanges.Finish(SpanOutcome.Complete, time);
        }
    }

    private void OnError(ReadOnlySpan<byte> body, long time)
    {
        var error = ErrorFields.Read(body);
        requests.IsCopying = false;
        var expected = exchanges.Expected;
        switch (expected.First & ~Expected.Unread)
        {
            case Expected.None:
                break;
            case Expected.StartUp:
                // Refused.
                _ = expected.Take();
                break;
            case Expected.Query or Expected.Function:
                if ((expected.First & Expected.Unread) == 0)
                {
                    exchanges.First!.Fail(error.State);
                }

                if (error.IsFatal)
                {
                    exchanges.Finish(SpanOutcome.Complete, time);
                }

                break;
            default:
                FailGroup(error.State, time);
                break;
        }
    }

    /// <summary>What comes before the next Sync is passed over by the server (manual, "Extended Query").</summary>
    private void FailGroup(ReadOnlySpan<byte> sqlState, long time)
    {
        var expected = exchanges.Expected;
        failedParse = expected.First == Expected.Parse ? expected.Head : -1;
        isFailed = true;
        while (expected.First == Expected.Parse)
        {
            session.Statements.Undo(expected.Head);
            _ = expected.Take();
        }

        if ((expected.First & ~Expected.Unread) != Expected.Execute)
        {
            // The Execute that it belongs to was not seen yet, or there is none.
            isUntold = true;
            errorTime = time;
            hasState = sqlState.Length == PostgresExchange.StateLength;
            if (hasState)
            {
                sqlState.CopyTo(state);
            }

            return;
        }

        if (expected.First == Expected.Execute)
        {
            exchanges.First!.Fail(sqlState);
        }

        exchanges.Finish(SpanOutcome.Complete, time);
    }

    /// <summary>The server is ready for the next request: all up to the next Sync, or one Query, is done.</summary>
    private void OnReady(ReadOnlySpan<byte> status, long time)
    {
        var expected = exchanges.Expected;
        var isTurn = false;
        while (!isTurn && expected.Count > 0)
        {
            var kind = expected.First & ~Expected.Unread;
            isTurn = ExpectedResponses.IsTurn(kind) && !(isFailed && kind != Expected.Sync && expected.Syncs > 0);
            switch (kind)
            {
                case Expected.Parse:
                    session.Statements.Undo(expected.Head);
                    _ = expected.Take();
                    break;
                case Expected.Sync or Expected.StartUp:
                    _ = expected.Take();
                    break;
                case Expected.Execute when !isFailed:
                    exchanges.Finish(SpanOutcome.Unfinished, 0);
                    break;
                default:
                    FinishAtReady(expected.First, isTurn, time);
                    break;
            }
        }

        if (isUntold && failedParse >= 0 && requests.Parse.Ordinal == failedParse && requests.Parse.Statement is not null)
        {
            exchanges.ReportParse(in requests.Parse, State, errorTime);
            requests.Parse = default;
        }

        EndGroup();
        if (expected.Count == 0 && status.Length == 1 && status[0] == 'I')
        {
            // Portals end with the transaction.
            session.Portals.ClearNamed();
        }
    }

    private ReadOnlySpan<byte> State => hasState ? state : default;

    private void FinishAtReady(Expected expected, bool isTurn, long time)
    {
        if (!isTurn && (expected & Expected.Unread) == 0)
        {
            if (isUntold)
            {
                exchanges.First!.Fail(State);
                isUntold = false;
            }
            else
            {
                exchanges.First!.IsAborted = true;
            }
        }

        exchanges.Finish(SpanOutcome.Complete, time);
    }

    /// <summary>ReadyForQuery, before which messages passed unseen.</summary>
    private void OnReadyUnseen(ReadOnlySpan<byte> end, long time)
    {
        exchanges.Settle();
        var expected = exchanges.Expected;
        IsAtRest = true;
        if (expected.Turns > 1)
        {
            // How many of them it was is not known.
            exchanges.Doubt(time);
            return;
        }

        var status = end[^1..];
        var hasTag = CommandTag.TryFindLast(end[..^6], out var tag);
        var executes = 0;
        for (var i = 0; i < expected.Count && !ExpectedResponses.IsTurn(expected.At(i)); i++)
        {
            executes += (expected.At(i) & ~Expected.Unread) == Expected.Execute ? 1 : 0;
        }

        while (executes > 1)
        {
            executes -= (expected.First & ~Expected.Unread) == Expected.Execute ? 1 : 0;
            if (expected.First == Expected.Parse)
            {
                TakeParse();
            }
            else
            {
                exchanges.Finish(SpanOutcome.Unfinished, 0);
            }
        }

        if (hasTag)
        {
            OnCommand(tag, time);
        }
        else if (exchanges.First is { } first && status[0] == 'E')
        {
            // Only an error leaves a transaction failed.
            first.Fail(default);
        }
        else if ((expected.First & ~Expected.Unread) == Expected.Query)
        {
            exchanges.Finish(SpanOutcome.Unfinished, time);
            return;
        }

        OnReady(status, time);
    }

    private void OnCopyIn()
    {
        requests.IsCopying = true;
        if ((exchanges.Expected.First & ~Expected.Unread) == Expected.Execute)
        {
            // A Sync that was sent before is passed over.
            _ = exchanges.Expected.TryDropSecondSync();
        }
    }

    private void EndGroup() => isFailed = isUntold = hasState = false;
}
