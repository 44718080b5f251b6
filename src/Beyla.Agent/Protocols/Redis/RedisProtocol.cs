using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Redis and what speaks as it does (https://redis.io/docs/latest/develop/reference/protocol-spec), as server and as client: makes a span
/// of each command. All but the counting on the tracing thread.
/// </summary>
public sealed class RedisProtocol
{
    private const int MaxSpare = 4096;

    private readonly Stack<RedisConversation> conversations = [];
    private readonly Stack<RedisExchange> spare = [];
    private bool isFresh;

    /// <param name="options">Settings.</param>
    /// <param name="buffers">Where texts are kept, for all protocols.</param>
    /// <param name="sink">Takes the spans.</param>
    public RedisProtocol(RedisOptions options, BufferPool buffers, ISpanSink sink)
    {
        var limits = new LedgerOptions { RequestTimeout = options.RequestTimeout, MaxPipelined = options.MaxPipelined };
        Ledger = new(ProtocolId.Redis, limits, buffers, sink);
        IsDatabaseShown = options.IsDatabaseShown;
    }

    /// <summary>Which protocol this is.</summary>
    public ProtocolId Id { get; } = ProtocolId.Redis;

    /// <summary>The exchanges of all connections.</summary>
    internal ExchangeLedger<RedisExchange> Ledger { get; }

    /// <summary>Spans show the number of the database.</summary>
    internal bool IsDatabaseShown { get; }

    /// <summary>Whether a stream that begins so is Redis.</summary>
    public Confirmation Confirm(in Opening opening)
    {
        isFresh = opening.IsFresh;
        return RedisOpening.Judge(in opening);
    }

    /// <summary>Follows a connection of which <see cref="Confirm"/> has just said that it is Redis.</summary>
    public Conversation Open(Connection connection)
    {
        var conversation = conversations.TryPop(out var used) ? used : new RedisConversation(this);
        conversation.Begin(connection, isFresh);
        return conversation;
    }

    /// <summary>Time passes: reports what has timed out, with a bounded amount of work.</summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    public void Tick(long now) => Ledger.Tick(now);

    /// <summary>What became of the exchanges. Called on any thread.</summary>
    public PlaceCounters Count() => Ledger.Count();

    /// <summary>What passed unseen and may have held commands, or null when nothing did. Called on any thread.</summary>
    public PlaceCounters? CountUnseen() => Ledger.CountUnseen();

    /// <summary>An object for a command that is read and not kept: there is no room for it.</summary>
    internal RedisExchange RentSpare()
    {
        var exchange = spare.TryPop(out var used) ? used : new RedisExchange();
        exchange.IsSpare = true;
        return exchange;
    }

    /// <summary>Takes such an object back.</summary>
    internal void ReturnSpare(RedisExchange exchange)
    {
        exchange.Clear(Ledger.Buffers);
        spare.Push(exchange);
    }

    /// <summary>Takes a conversation back that is on no connection any more, for another use.</summary>
    internal void Return(RedisConversation conversation)
    {
        if (conversations.Count < MaxSpare)
        {
            conversations.Push(conversation);
        }
    }
}
