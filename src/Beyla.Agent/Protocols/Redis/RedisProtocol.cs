using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Redis and what speaks as it does (https://redis.io/docs/latest/develop/reference/protocol-spec), as server and as client: makes a span
/// of each command. All but the counting on the tracing thread.
/// </summary>
public sealed class RedisProtocol : IProtocol
{
    /// <summary>
    /// How long nothing has to come on a connection, nanoseconds, until no earlier command waits for a response: a server responds in
    /// order, and to all but commands that block at once.
    /// </summary>
    private const long Rest = 5_000_000_000;

    private const int RestedPerTick = 256;

    private readonly ObjectPool<RedisConversation> conversations;
    private readonly ObjectPool<RedisExchange> spare;
    private SocketDirection? direction;
    private bool isFresh, isInline;

    /// <param name="options">Settings.</param>
    /// <param name="sink">Takes the spans.</param>
    /// <param name="buffers">Shared by all protocols of a tracer; null for its own.</param>
    public RedisProtocol(RedisOptions options, ISpanSink sink, BufferPool? buffers = null)
    {
        var limits = new LedgerOptions { RequestTimeout = options.RequestTimeout, MaxPipelined = options.MaxPipelined };
        buffers ??= new BufferPool();
        Ledger = new(ProtocolId.Redis, limits, buffers, sink);
        conversations = new(buffers, RedisConversation.Size, () => new RedisConversation(this));
        Readers = new(buffers, RedisReaders.Size, static () => new RedisReaders());
        spare = new(buffers, RedisExchange.Size, static () => new RedisExchange());
        IsDatabaseShown = options.IsDatabaseShown;
    }

    /// <inheritdoc/>
    public ProtocolId Id => ProtocolId.Redis;

    /// <inheritdoc/>
    public long Due => Math.Min(Ledger.Due, Doubts.Due);

    /// <summary>Buffers of open exchanges.</summary>
    public BufferPool Buffers => Ledger.Buffers;

    /// <summary>The exchanges of all connections.</summary>
    internal ExchangeLedger<RedisExchange> Ledger { get; }

    /// <summary>Readers of connections on which something is open.</summary>
    internal ObjectPool<RedisReaders> Readers { get; }

    /// <summary>Connections on which commands are held back because it is not certain whose their responses are.</summary>
    internal SilentList<RedisConversation> Doubts { get; } = new(Rest);

    /// <summary>Spans show the number of the database.</summary>
    internal bool IsDatabaseShown { get; }

    /// <inheritdoc/>
    public Confirmation Confirm(in Opening opening)
    {
        var confirmation = RedisOpening.Judge(in opening);
        // If it is a yes, Open follows.
        isFresh = opening.IsFresh;
        isInline = RedisInlineOpening.Concerns(in opening);
        direction = isInline && !RedisInlineOpening.IsRequest(in opening) ? StreamOrder.Other(opening.Direction) : opening.Direction;
        return confirmation;
    }

    /// <inheritdoc/>
    public Conversation Open(Connection connection)
    {
        var conversation = conversations.Rent();
        conversation.Begin(connection, isFresh, isInline, direction);
        isFresh = isInline = false;
        direction = null;
        return conversation;
    }

    /// <inheritdoc/>
    public void Tick(long now)
    {
        Ledger.Tick(now);
        for (var i = 0; i < RestedPerTick && Doubts.TakeSilent(now) is { } conversation; i++)
        {
            conversation.Rest();
        }
    }

    /// <inheritdoc/>
    public PlaceCounters Count() => Ledger.Count();

    /// <inheritdoc/>
    public PlaceCounters? CountUnseen() => Ledger.CountUnseen();

    /// <summary>An object for a command that is read and not kept: there is no room for it.</summary>
    internal RedisExchange RentSpare()
    {
        var exchange = spare.Rent();
        exchange.IsSpare = true;
        return exchange;
    }

    /// <summary>Takes such an object back.</summary>
    internal void ReturnSpare(RedisExchange exchange)
    {
        exchange.Clear(Ledger.Buffers);
        spare.Return(exchange);
    }

    /// <summary>Takes a conversation back that is on no connection any more, for another use.</summary>
    internal void Return(RedisConversation conversation) => conversations.Return(conversation);
}
