namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// Which request a response belongs to, and how that request ended (PostgreSQL manual, "Message Flow"): responses come in order, after an
/// error the server passes over everything up to the next Sync, and each ReadyForQuery ends what a Sync or a Query began.
/// </summary>
/// <param name="protocol">Its time limits end with a response.</param>
/// <param name="session">Statements and portals.</param>
/// <param name="exchanges">Told how requests ended.</param>
/// <param name="requests">Know of COPY and of the last Parse.</param>
internal sealed class PostgresPairing(
    PostgresProtocol protocol, PostgresSession session, PostgresExchanges exchanges, PostgresRequests requests)
{
    private readonly byte[] state = new byte[PostgresExchange.StateLength];
    private bool isFailed, isUntold, hasState;
    private long errorTime, failedParse;

    private ReadOnlySpan<byte> State => hasState ? state : default;

    /// <summary>Nothing failed yet: ready for a connection, and after each ReadyForQuery.</summary>
    public void EndGroup() => isFailed = isUntold = hasState = false;

    /// <summary>A message that responds to something.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="body">First bytes of its body.</param>
    /// <param name="time">When it was complete; CLOCK_MONOTONIC in nanoseconds.</param>
    public void OnMessage(byte type, ReadOnlySpan<byte> body, long time)
    {
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
        while (!isTurn && expected.Count > 0 && expected.First != Expected.Unknown)
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
    /// <param name="end">Last bytes of the operation.</param>
    /// <param name="time">When it was moved; CLOCK_MONOTONIC in nanoseconds.</param>
    public void OnReadyUnseen(ReadOnlySpan<byte> end, long time)
    {
        var expected = exchanges.Expected;
        if (expected.Turns > 1)
        {
            // How many of them it was is not known.
            exchanges.Doubt(time);
            return;
        }

        var status = end[^1..];
        var hasTag = CommandTag.TryFindLast(end[..^6], out var tag);
        var executes = expected.CountExecutes();
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
}
