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
    /// <summary>Estimate of what a conversation takes.</summary>
    private const int ConversationSize = 1024;

    private readonly ObjectPool<PostgresConversation> conversations;
    private Beginning judged;

    /// <param name="options">Settings.</param>
    /// <param name="sink">Takes the spans.</param>
    /// <param name="buffers">Shared by all protocols, with the memory budget; null for one of its own.</param>
    public PostgresProtocol(PostgresOptions options, ISpanSink sink, BufferPool? buffers = null)
    {
        buffers ??= new BufferPool();
        Ledger = new ExchangeLedger<PostgresExchange>(ProtocolId.Postgres, options.Ledger, buffers, sink);
        Texts = new StatementTexts(options, buffers);
        conversations = new ObjectPool<PostgresConversation>(buffers, ConversationSize, () => new PostgresConversation(this));
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
        var conversation = conversations.Rent();
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
    internal void Return(PostgresConversation conversation) => conversations.Return(conversation);
}
