using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing.Parents;

namespace Beyla.Agent.Tracing;

/// <summary>
/// What every protocol needs for its exchanges and none writes again: each is opened once and then reported once or lost, so that the sum
/// holds; time limits; objects that are used again; the envelope of a span. It never looks at bytes. All but the counting on the tracing
/// thread.
/// </summary>
/// <typeparam name="T">The exchange of a protocol.</typeparam>
public sealed class ExchangeLedger<T>
    where T : Exchange, new()
{
    private const int TimedOutPerTick = 1024;

    /// <summary>Estimate of what an object of a protocol takes.</summary>
    private const int ExchangeSize = 256;

    private readonly ProtocolId protocol;
    private readonly string exchangesPlace, requestsPlace;
    private readonly SpanParents parents;
    private readonly long timeout;
    private readonly ObjectPool<T> pool;
    private Exchange? earliest, latest;
    private long produced, emitted, lost, held, unseen;

    /// <param name="protocol">Whose exchanges.</param>
    /// <param name="options">Limits.</param>
    /// <param name="buffers">Shared by all protocols, so that one limit holds for all.</param>
    /// <param name="sink">
    /// Takes the spans: a <see cref="SpanParents"/> that the tracer tells who does what, or another one, which gets spans without parents.
    /// </param>
    public ExchangeLedger(ProtocolId protocol, LedgerOptions options, BufferPool buffers, ISpanSink sink)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxPipelined, 1);
        this.protocol = protocol;
        exchangesPlace = "exchanges." + SpanProtocols.Of(protocol).Name;
        requestsPlace = "requests." + SpanProtocols.Of(protocol).Name;
        parents = sink as SpanParents ?? new SpanParents(sink);
        Buffers = buffers;
        pool = new ObjectPool<T>(buffers, ExchangeSize, static () => new T());
        timeout = options.RequestTimeout.Ticks * TimeSpan.NanosecondsPerTick;
        MaxPipelined = options.MaxPipelined;
    }

    /// <summary>Where texts and unfinished heads are kept, and the memory budget.</summary>
    public BufferPool Buffers { get; }

    /// <summary>Exchanges without a complete response that a connection may keep.</summary>
    public int MaxPipelined { get; }

    /// <summary>Attributes of the span that is being made: cleared by <see cref="Begin"/>, handed out by <see cref="Report"/>.</summary>
    public SpanValues Values { get; } = new();

    /// <summary>When <see cref="Tick"/> has something to report, at the earliest; CLOCK_MONOTONIC in nanoseconds.</summary>
    public long Due => earliest is null ? long.MaxValue : earliest.Start + timeout;

    /// <summary>Opens an exchange, counts it as produced, and starts its time limit.</summary>
    /// <param name="owner">Its conversation: told when the limit is over.</param>
    /// <param name="start">First byte of the request; CLOCK_MONOTONIC in nanoseconds.</param>
    public T Create(Conversation owner, long start)
    {
        var exchange = pool.Rent();
        exchange.Owner = owner;
        exchange.Start = start;
        Snapshot.Add(ref produced);
        Snapshot.Add(ref held);
        if (timeout > 0)
        {
            exchange.IsTimed = true;
            exchange.Earlier = latest;
            _ = latest is null ? earliest = exchange : latest.Later = exchange;
            latest = exchange;
        }

        return exchange;
    }

    /// <summary>Tells who serves a request while it is being served: what is to be known of the process is found out meanwhile.</summary>
    public void TellOpened(T exchange, Connection connection)
    {
        if (connection.RequestDirection == SocketDirection.Receive)
        {
            parents.OnOpen(exchange.Pid, connection.LocalPort);
        }
    }

    /// <summary>
    /// The head of a request is there: which span led to it is to be found out. Once; what is told of a request again changes nothing.
    /// </summary>
    /// <param name="exchange">With the process and the thread.</param>
    /// <param name="connection">On which it is.</param>
    /// <param name="header">The trace that the request names itself, or none.</param>
    public void TellBegun(T exchange, Connection connection, in TraceContext header = default) =>
        parents.OnBegun(exchange, connection, in header);

    /// <summary>The response has begun, with a byte that was seen now: the time limit no longer counts.</summary>
    public void TellAnswered(T exchange)
    {
        StopTimer(exchange);
        parents.OnAnswered(exchange);
    }

    /// <summary>A response has begun: the time limit no longer counts.</summary>
    public void StopTimer(Exchange exchange)
    {
        if (!exchange.IsTimed)
        {
            return;
        }

        exchange.IsTimed = false;
        _ = exchange.Earlier is null ? earliest = exchange.Later : exchange.Earlier.Later = exchange.Later;
        _ = exchange.Later is null ? latest = exchange.Earlier : exchange.Later.Earlier = exchange.Earlier;
        exchange.Earlier = exchange.Later = null;
    }

    /// <summary>
    /// Whether the span of an exchange is still to be handed out; then <see cref="Values"/> are empty, to be filled in, and
    /// <see cref="Report"/> must follow.
    /// </summary>
    public bool Begin(T exchange)
    {
        Values.Clear();
        return !exchange.IsReported;
    }

    /// <summary>Hands out the span of an exchange with <see cref="Values"/>.</summary>
    /// <param name="exchange">Whose <see cref="Begin"/> said yes.</param>
    /// <param name="connection">On which it was.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="end">When; CLOCK_MONOTONIC in nanoseconds.</param>
    public void Report(T exchange, Connection connection, SpanOutcome outcome, long end)
    {
        Settle(exchange);
        Snapshot.Add(ref emitted);
        var isServer = connection.RequestDirection == SocketDirection.Receive;
        var isNamed = isServer && connection.HasNamedClient;
        parents.Close(exchange, connection.Id);
        var span = new SpanData
        {
            Protocol = protocol,
            Kind = isServer ? SpanKind.Server : SpanKind.Client,
            Outcome = outcome,
            Pid = exchange.Pid,
            Tid = exchange.Tid,
            NetworkNamespace = connection.NetworkNamespace,
            Connection = connection.Id,
            Context = exchange.Context,
            Start = exchange.Start,
            HandlerStart = exchange.HandlerStart == 0 ? exchange.Start : exchange.HandlerStart,
            End = end,
            ClientAddress = isNamed ? connection.NamedClient : isServer ? connection.Remote : connection.Local,
            ClientPort = isNamed ? connection.NamedClientPort : isServer ? connection.RemotePort : connection.LocalPort,
            IsClientNamed = isNamed,
            PeerAddress = connection.Remote,
            PeerPort = connection.RemotePort,
            ServerAddress = isServer ? connection.Local : connection.Remote,
            ServerPort = isServer ? connection.LocalPort : connection.RemotePort,
            Values = Values,
        };
        parents.Hand(exchange, in span);
    }

    /// <summary>
    /// Hands out the span of a message that has no response, with <see cref="Values"/>, and takes the exchange back. It is complete and
    /// ends with what was seen of it last.
    /// </summary>
    /// <param name="exchange">Whose <see cref="Begin"/> said yes.</param>
    /// <param name="connection">On which it was.</param>
    public void ReportOneWay(T exchange, Connection connection)
    {
        Report(exchange, connection, SpanOutcome.Complete, Math.Max(exchange.LastSeen, Math.Max(exchange.HandlerStart, exchange.Start)));
        Return(exchange);
    }

    /// <summary>Gives an exchange up for want of room, unless it was reported.</summary>
    public void Lose(T exchange)
    {
        if (!exchange.IsReported)
        {
            Settle(exchange);
            Snapshot.Add(ref lost);
        }
    }

    /// <summary>Takes an exchange back whose response is over, for another use. One that was not reported is lost.</summary>
    public void Return(T exchange)
    {
        Lose(exchange);
        parents.Forget(exchange);
        StopTimer(exchange);
        exchange.Clear(Buffers);
        pool.Return(exchange);
    }

    /// <summary>A request for which a connection has no room, or whose beginning could not be read.</summary>
    public void CountUnread()
    {
        Snapshot.Add(ref produced);
        Snapshot.Add(ref lost);
    }

    /// <summary>Bytes of requests that no event showed and in which further requests may begin.</summary>
    public void CountUnseen(long bytes) => Snapshot.Add(ref unseen, bytes);

    /// <summary>Reports what has timed out, a bounded number per call.</summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    public void Tick(long now)
    {
        for (var i = 0; i < TimedOutPerTick && earliest is { } exchange && now - exchange.Start >= timeout; i++)
        {
            StopTimer(exchange);
            exchange.Owner!.OnTimeout(exchange, exchange.Start + timeout);
        }
    }

    /// <summary>What became of the exchanges: the place <c>exchanges.http</c> for HTTP, as the stream names it. Any thread.</summary>
    public PlaceCounters Count() => new(exchangesPlace, "spans", Volatile.Read(ref produced), Emitted: Volatile.Read(ref emitted),
        Lost: Volatile.Read(ref lost), Held: Volatile.Read(ref held));

    /// <summary>What passed unseen and may have held requests, or null when nothing did. Any thread.</summary>
    public PlaceCounters? CountUnseen()
    {
        var bytes = Volatile.Read(ref unseen);
        return bytes == 0 ? null : new(requestsPlace, "bytes", bytes, Lost: bytes);
    }

    private void Settle(T exchange)
    {
        StopTimer(exchange);
        exchange.IsReported = true;
        Snapshot.Add(ref held, -1);
    }
}
