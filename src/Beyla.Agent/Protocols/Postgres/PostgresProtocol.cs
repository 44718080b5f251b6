using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// PostgreSQL's frontend/backend protocol 3 (manual, chapter "Frontend/Backend Protocol"), as server and as client: makes a span of each
/// Query, Execute and FunctionCall. All but <see cref="Count"/> and <see cref="CountUnseen"/> on the tracing thread.
/// </summary>
public sealed class PostgresProtocol : IProtocol
{
    private const int MaxSpare = 1024;

    private readonly Stack<PostgresConversation> spare = [];
    private Beginning judged;

    /// <param name="options">Settings.</param>
    /// <param name="buffers">Shared by all protocols.</param>
    /// <param name="sink">Takes the spans.</param>
    public PostgresProtocol(PostgresOptions options, BufferPool buffers, ISpanSink sink)
    {
        Ledger = new ExchangeLedger<PostgresExchange>(ProtocolId.Postgres, options.Ledger, buffers, sink);
        Texts = new StatementTexts(options, buffers);
    }

    /// <inheritdoc/>
    public ProtocolId Id => ProtocolId.Postgres;

    /// <summary>Exchanges of all connections.</summary>
    internal ExchangeLedger<PostgresExchange> Ledger { get; }

    /// <summary>Statements of all connections.</summary>
    internal StatementTexts Texts { get; }

    /// <summary>Names of databases.</summary>
    internal SharedNames Names { get; } = new();

    /// <inheritdoc/>
    public Confirmation Confirm(in Opening opening)
    {
        judged = Beginning.Judge(in opening);
        return judged.Kind switch
        {
            BeginningKind.None => Confirmation.No,
            BeginningKind.Undecided => Confirmation.Undecided,
            _ => Confirmation.Yes,
        };
    }

    /// <summary>
    /// Begins to follow the connection whose first bytes <see cref="Confirm"/> has just said yes to; one that another protocol hands over
    /// is judged by its next bytes.
    /// </summary>
    public Conversation Open(Connection connection)
    {
        var conversation = spare.TryPop(out var used) ? used : new PostgresConversation(this);
        conversation.Begin(connection, judged);
        judged = default;
        return conversation;
    }

    /// <inheritdoc/>
    public long Due => Ledger.Due;

    /// <inheritdoc/>
    public void Tick(long now) => Ledger.Tick(now);

    /// <inheritdoc/>
    public PlaceCounters Count() => Ledger.Count();

    /// <inheritdoc/>
    public PlaceCounters? CountUnseen() => Ledger.CountUnseen();

    /// <summary>Takes a conversation back that is on no connection any more, for another use.</summary>
    internal void Return(PostgresConversation conversation)
    {
        if (spare.Count < MaxSpare)
        {
            spare.Push(conversation);
        }
    }
}
