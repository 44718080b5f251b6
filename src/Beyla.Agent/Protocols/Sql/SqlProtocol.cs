using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// Statements on connections whose protocol is not known (setting <c>ebpf.heuristic_sql_detect</c>): the last protocol that is asked. A
/// request is what one side sends until the other one does, if it holds a statement (<see cref="SqlDetect"/>); the response is what comes
/// back until the next request, or until it is silent for a while. All of it is a guess, and its spans say so. All but the counting on the
/// tracing thread.
/// </summary>
public sealed class SqlProtocol : IProtocol
{
    private const int EndedPerTick = 1024;

    private readonly ObjectPool<SqlConversation> conversations;

    /// <param name="options">Settings.</param>
    /// <param name="sink">Takes the spans.</param>
    /// <param name="buffers">Shared by all protocols, with the memory budget; null for one of its own.</param>
    public SqlProtocol(SqlOptions options, ISpanSink sink, BufferPool? buffers = null)
    {
        buffers ??= new BufferPool();
        Ledger = new ExchangeLedger<SqlExchange>(ProtocolId.Sql, options.Ledger, buffers, sink);
        conversations = new ObjectPool<SqlConversation>(buffers, SqlConversation.Size, () => new SqlConversation(this));
        Quiet = new SilentList<SqlConversation>(options.Quiet.Ticks * TimeSpan.NanosecondsPerTick);
    }

    /// <inheritdoc/>
    public ProtocolId Id => ProtocolId.Sql;

    /// <summary>A statement may follow any number of messages that are none.</summary>
    public bool FindsLater => true;

    /// <inheritdoc/>
    public long Due => Math.Min(Ledger.Due, Quiet.Due);

    /// <summary>Buffers of open exchanges.</summary>
    public BufferPool Buffers => Ledger.Buffers;

    /// <summary>The exchanges of all connections.</summary>
    internal ExchangeLedger<SqlExchange> Ledger { get; }

    /// <summary>Conversations that have a response.</summary>
    internal SilentList<SqlConversation> Quiet { get; }

    /// <summary>Makes the spans.</summary>
    internal SqlSpan Span { get; } = new();

    /// <summary>Whether that is the direction of requests: whoever accepted the connection serves.</summary>
    internal static bool IsRequest(SocketDirection direction, bool isAccepted) => isAccepted == (direction == SocketDirection.Receive);

    /// <inheritdoc/>
    public Confirmation Confirm(in Opening opening) =>
        !IsRequest(opening.Direction, opening.IsAccepted) ? Confirmation.No
        : opening.IsKnown || SqlDetect.Find(opening.Data, out _) ? Confirmation.Yes : Confirmation.Undecided;

    /// <inheritdoc/>
    public Conversation Open(Connection connection)
    {
        var conversation = conversations.Rent();
        conversation.Begin(connection);
        return conversation;
    }

    /// <inheritdoc/>
    public void Tick(long now)
    {
        for (var i = 0; i < EndedPerTick && Quiet.TakeSilent(now) is { } conversation; i++)
        {
            conversation.EndResponse();
        }

        Ledger.Tick(now);
    }

    /// <inheritdoc/>
    public PlaceCounters Count() => Ledger.Count();

    /// <inheritdoc/>
    public PlaceCounters? CountUnseen() => Ledger.CountUnseen();

    /// <summary>Takes a conversation back that is on no connection any more, for another use.</summary>
    internal void Return(SqlConversation conversation) => conversations.Return(conversation);
}
