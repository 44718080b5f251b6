using System.Buffers.Text;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// What a response means for the connection and for the commands of a transaction, and the span of each command (OpenTelemetry semantic
/// conventions for Redis). A command that was queued waits for EXEC, which has its error; its span ends with <c>+QUEUED</c>.
/// </summary>
internal sealed class RedisSpans(RedisProtocol protocol)
{
    private ExchangeQueue<RedisExchange> queued;
    private Connection connection = null!;

    /// <summary>What earlier commands said of the connection.</summary>
    public RedisSession Session;

    /// <summary>Commands that wait for EXEC.</summary>
    public int Queued => queued.Count;

    /// <summary>Ready for a connection.</summary>
    public void Begin(Connection connection, bool isFresh)
    {
        this.connection = connection;
        Session = new RedisSession(isFresh);
    }

    /// <summary>
    /// The command to which the first of so many elements of EXEC belongs; null when they are others than those that were seen.
    /// </summary>
    public RedisExchange? FirstQueued(long elements) => elements == queued.Count ? queued.First : null;

    /// <summary>A command has its response.</summary>
    /// <returns>Whether the connection goes over to replication.</returns>
    public bool Finish(RedisExchange exchange)
    {
        if (exchange.IsQueued)
        {
            queued.Add(exchange);
            return false;
        }

        switch (exchange.Kind)
        {
            case RedisCommandKind.Exec when !exchange.IsError:
                FinishTransaction(exchange.Elements >= 0);
                break;
            case RedisCommandKind.Exec or RedisCommandKind.Discard:
                FinishQueued();
                break;
            case RedisCommandKind.Replicate when !exchange.IsError:
                Report(exchange, SpanOutcome.Upgraded, exchange.LastSeen);
                return true;
            default:
                break;
        }

        var kind = exchange.Kind;
        var number = exchange.IsError ? -1 : exchange.Number;
        var isOk = exchange.IsOk;
        Report(exchange, SpanOutcome.Complete, exchange.LastSeen);
        switch (kind)
        {
            case RedisCommandKind.Select when isOk:
                Session.Database = number;
                break;
            case RedisCommandKind.Hello when number is 2 or 3:
                Session.Version = (byte)number;
                break;
            case RedisCommandKind.Monitor when isOk:
                Session.IsMonitoring = true;
                break;
            case RedisCommandKind.Reset when isOk:
                FinishQueued();
                Session = new RedisSession(isFresh: true);
                break;
            default:
                break;
        }

        return false;
    }

    /// <summary>A command has no response (CLIENT REPLY): it is over when it is sent.</summary>
    /// <param name="exchange">Which.</param>
    /// <param name="isFirst">No other command waits for its response.</param>
    public void FinishSilent(RedisExchange exchange, bool isFirst)
    {
        if (exchange.Kind == RedisCommandKind.Select)
        {
            // When others still wait, they are in another database.
            Session.Database = isFirst ? exchange.Number : -1;
        }

        Report(exchange, SpanOutcome.Complete, exchange.HandlerStart);
    }

    /// <summary>Hands out the commands of a transaction of which the end was not seen, or that was dropped.</summary>
    public void FinishQueued()
    {
        while (queued.Dequeue() is { } exchange)
        {
            Report(exchange, SpanOutcome.Complete, exchange.LastSeen);
        }
    }

    /// <summary>Gives them up.</summary>
    public void LoseQueued()
    {
        while (queued.Dequeue() is { } exchange)
        {
            Lose(exchange);
        }
    }

    /// <summary>Memory is tight: texts that can be shortened are.</summary>
    public void Shorten()
    {
        for (var exchange = queued.First; exchange is not null; exchange = exchange.Following)
        {
            exchange.Shorten(protocol.Ledger.Buffers);
        }
    }

    /// <summary>Gives a command up.</summary>
    public void Lose(RedisExchange exchange)
    {
        protocol.Ledger.Lose(exchange);
        protocol.Ledger.Return(exchange);
    }

    /// <summary>Hands out the span of a command that is over.</summary>
    public void Report(RedisExchange exchange, SpanOutcome outcome, long end)
    {
        ReportOnly(exchange, outcome, end);
        protocol.Ledger.Return(exchange);
    }

    /// <summary>Hands out the span of a command, whose response may still come.</summary>
    public void ReportOnly(RedisExchange exchange, SpanOutcome outcome, long end)
    {
        if (!protocol.Ledger.Begin(exchange))
        {
            return;
        }

        var values = protocol.Ledger.Values;
        values.Add(SpanAttribute.Name, exchange.OperationLength > 0 ? exchange.Operation : "redis"u8);
        values.Add(SpanAttribute.DbSystemName, "redis"u8);
        // A response that did not come says nothing of the commands before it, SELECT among them.
        if (protocol.IsDatabaseShown && Session.Database >= 0 && outcome is SpanOutcome.Complete or SpanOutcome.Upgraded)
        {
            Span<byte> digits = stackalloc byte[11];
            _ = Utf8Formatter.TryFormat(Session.Database, digits, out var length);
            values.Add(SpanAttribute.DbNamespace, digits[..length]);
        }

        values.Add(SpanAttribute.DbOperationName, exchange.Operation);
        values.Add(SpanAttribute.DbQueryText, exchange.Query);
        values.Add(SpanAttribute.DbStoredProcedureName, exchange.Text.Slice(exchange.Procedure.Start, exchange.Procedure.Length));
        if (exchange is { Kind: RedisCommandKind.Exec, Elements: >= 0 and not 1 })
        {
            values.Add(SpanAttribute.DbOperationBatchSize, exchange.Elements);
        }

        AddError(exchange, outcome, values);
        if (Session.Version > 0)
        {
            values.Add(SpanAttribute.NetworkProtocolVersion, Session.Version == 3 ? "3"u8 : "2"u8);
        }

        protocol.Ledger.Report(exchange, connection, outcome, Math.Max(end, exchange.HandlerStart));
    }

    private static void AddError(RedisExchange exchange, SpanOutcome outcome, SpanValues values)
    {
        values.Add(SpanAttribute.ErrorType, SpanErrors.Of(outcome));
        if (exchange.IsError && outcome is SpanOutcome.Complete or SpanOutcome.Upgraded)
        {
            // Scripts and modules may send any text; only a code is of low cardinality.
            var isCode = IsCode(exchange.ErrorWord);
            values.Add(SpanAttribute.ErrorType, isCode ? exchange.ErrorWord : "_OTHER"u8);
            values.Add(SpanAttribute.DbResponseStatusCode, isCode ? exchange.ErrorWord : default);
        }
    }

    private static bool IsCode(scoped ReadOnlySpan<byte> word)
    {
        foreach (var b in word)
        {
            if (b is not ((>= (byte)'A' and <= (byte)'Z') or (>= (byte)'0' and <= (byte)'9') or (byte)'_' or (byte)'-'))
            {
                return false;
            }
        }

        return !word.IsEmpty && word.Length < RespPeek.Size;
    }

    private void FinishTransaction(bool wasExecuted)
    {
        while (queued.Dequeue() is { } exchange)
        {
            var database = wasExecuted && exchange is { Kind: RedisCommandKind.Select, IsError: false } ? exchange.Number : -1;
            var version = wasExecuted && exchange is { Kind: RedisCommandKind.Hello, IsError: false } ? exchange.Number : -1;
            Report(exchange, SpanOutcome.Complete, exchange.LastSeen);
            Session.Database = database >= 0 ? database : Session.Database;
            Session.Version = version is 2 or 3 ? (byte)version : Session.Version;
        }
    }
}
