using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// HTTP/1.0 and 1.1 (RFC 9112), as server and as client: makes a span of each request. All but <see cref="Count"/> and
/// <see cref="CountUnseen"/> on the tracing thread.
/// </summary>
public sealed class HttpProtocol : IProtocol
{
    /// <summary>Estimate of what a conversation takes, with its parts.</summary>
    private const int ConversationSize = 768;

    private readonly ObjectPool<HttpConversation> conversations;

    /// <param name="options">Settings.</param>
    /// <param name="sink">Takes the spans.</param>
    /// <param name="buffers">Shared by all protocols of a tracer; null for its own.</param>
    public HttpProtocol(HttpOptions options, ISpanSink sink, BufferPool? buffers = null)
    {
        var limits = new LedgerOptions { RequestTimeout = options.RequestTimeout, MaxPipelined = options.MaxPipelined };
        Ledger = new ExchangeLedger<HttpExchange>(ProtocolId.Http, limits, buffers ?? new BufferPool(), sink);
        conversations = new ObjectPool<HttpConversation>(Buffers, ConversationSize, () => new HttpConversation(this));
    }

    /// <inheritdoc/>
    public ProtocolId Id => ProtocolId.Http;

    /// <inheritdoc/>
    public long Due => Ledger.Due;

    /// <summary>Buffers of unfinished heads and open exchanges.</summary>
    public BufferPool Buffers => Ledger.Buffers;

    /// <summary>The exchanges.</summary>
    internal ExchangeLedger<HttpExchange> Ledger { get; }

    /// <inheritdoc/>
    public Confirmation Confirm(in Opening opening) => HttpOpening.Judge(in opening);

    /// <inheritdoc/>
    public Conversation Open(Connection connection)
    {
        var conversation = conversations.Rent();
        conversation.Begin(connection);
        return conversation;
    }

    /// <inheritdoc/>
    public void Tick(long now) => Ledger.Tick(now);

    /// <inheritdoc/>
    public PlaceCounters Count() => Ledger.Count();

    /// <inheritdoc/>
    public PlaceCounters? CountUnseen() => Ledger.CountUnseen();

    /// <summary>Takes a conversation back that is on no connection any more, for another use.</summary>
    internal void Return(HttpConversation conversation) => conversations.Return(conversation);
}
