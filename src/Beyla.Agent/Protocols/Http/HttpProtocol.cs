using System.Globalization;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// HTTP/1.0 and 1.1 (RFC 9112), as server and as client: makes a span of each request. All but <see cref="Count"/> on
/// the tracing thread.
/// </summary>
public sealed class HttpProtocol : IProtocol
{
    private const int TimedOutPerTick = 1024, MaxSpare = 4096;

    private readonly ISpanSink sink;
    private readonly long timeout;
    private readonly Stack<HttpConversation> conversations = [];
    private readonly Stack<HttpExchange> exchanges = [];
    private readonly SpanValues values = new();
    private HttpExchange? earliest, latest;
    private long produced, emitted, lost, held, unseen;

    /// <param name="options">Settings.</param>
    /// <param name="sink">Takes the spans.</param>
    public HttpProtocol(HttpOptions options, ISpanSink sink)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxPipelined, 1);
        this.sink = sink;
        timeout = options.RequestTimeout.Ticks * TimeSpan.NanosecondsPerTick;
        MaxPipelined = options.MaxPipelined;
    }

    /// <summary>Buffers of unfinished heads and open exchanges.</summary>
    public BufferPool Buffers { get; } = new();

    /// <summary>Requests without a complete answer that are kept per connection (<see cref="HttpOptions.MaxPipelined"/>).</summary>
    internal int MaxPipelined { get; }

    /// <inheritdoc/>
    public bool MayStart(ReadOnlySpan<byte> data) => HttpStartLine.MayBeRequest(data) || ProxyHeader.MayStart(data);

    /// <inheritdoc/>
    public Conversation Open(Connection connection)
    {
        var conversation = conversations.TryPop(out var used) ? used : new HttpConversation(this);
        conversation.Begin(connection);
        return conversation;
    }

    /// <inheritdoc/>
    public void Tick(long now)
    {
        for (var i = 0; i < TimedOutPerTick && earliest is { } exchange && now - exchange.Start >= timeout; i++)
        {
            exchange.Owner!.OnTimeout(exchange, exchange.Start + timeout);
        }
    }

    /// <inheritdoc/>
    public PlaceCounters Count() => new("exchanges", "spans", Volatile.Read(ref produced), Emitted: Volatile.Read(ref emitted),
        Lost: Volatile.Read(ref lost), Held: Volatile.Read(ref held));

    /// <inheritdoc/>
    public PlaceCounters? CountUnseen()
    {
        var bytes = Volatile.Read(ref unseen);
        return bytes == 0 ? null : new("requests", "bytes", bytes, Lost: bytes);
    }

    /// <summary>
    /// Opens an exchange, counts it as produced, and starts its time limit. <paramref name="start"/> is
    /// CLOCK_MONOTONIC in nanoseconds.
    /// </summary>
    internal HttpExchange Create(HttpConversation owner, long start)
    {
        var exchange = exchanges.TryPop(out var used) ? used : new HttpExchange();
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
    internal void TellOpened(HttpExchange exchange, Connection connection)
    {
        if (connection.RequestDirection == SocketDirection.Receive)
        {
            sink.OnOpen(exchange.Pid, connection.LocalPort);
        }
    }

    /// <summary>A request for which a connection has no room, or whose start line could not be read.</summary>
    internal void CountUnread()
    {
        Snapshot.Add(ref produced);
        Snapshot.Add(ref lost);
    }

    /// <summary>Bytes of requests that no event showed and in which further requests may begin.</summary>
    internal void CountUnseen(long bytes) => Snapshot.Add(ref unseen, bytes);

    /// <summary>Gives an exchange up for want of room, unless it was reported.</summary>
    internal void Lose(HttpExchange exchange)
    {
        if (!exchange.IsReported)
        {
            Settle(exchange);
            Snapshot.Add(ref lost);
        }
    }

    /// <summary>Hands out the span of an exchange, unless that was done before.</summary>
    internal void Report(HttpExchange exchange, Connection connection, SpanOutcome outcome, int status, long end, long responseBody)
    {
        if (exchange.IsReported)
        {
            return;
        }

        Settle(exchange);
        Snapshot.Add(ref emitted);
        var isServer = connection.RequestDirection == SocketDirection.Receive;
        var isNamed = isServer && connection.HasNamedClient;
        var span = new SpanData
        {
            Protocol = ProtocolId.Http,
            Kind = isServer ? SpanKind.Server : SpanKind.Client,
            Outcome = outcome,
            Pid = exchange.Pid,
            Tid = exchange.Tid,
            NetworkNamespace = connection.NetworkNamespace,
            Connection = connection.Id,
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
            Values = Values(exchange, outcome, isServer, status, responseBody),
        };
        sink.OnSpan(in span);
    }

    /// <summary>An answer has begun: the time limit no longer counts.</summary>
    internal void StopTimer(HttpExchange exchange)
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

    /// <summary>Takes an exchange back whose answer is over, for another use.</summary>
    internal void Return(HttpExchange exchange)
    {
        exchange.Clear(Buffers);
        if (exchanges.Count < MaxSpare)
        {
            exchanges.Push(exchange);
        }
    }

    /// <summary>Takes a conversation back that is on no connection any more, for another use.</summary>
    internal void Return(HttpConversation conversation)
    {
        if (conversations.Count < MaxSpare)
        {
            conversations.Push(conversation);
        }
    }

    /// <summary>The attributes of the OpenTelemetry conventions for HTTP; without a route, the name of the span is the method.</summary>
    private SpanValues Values(HttpExchange exchange, SpanOutcome outcome, bool isServer, int status, long responseBody)
    {
        values.Clear();
        values.Add(SpanAttribute.Name, exchange.Method);
        values.Add(SpanAttribute.HttpRequestMethod, exchange.Method);
        values.Add(SpanAttribute.UrlPath, exchange.Path);
        values.Add(SpanAttribute.UrlQuery, exchange.Query);
        values.Add(SpanAttribute.HttpRequestHeaderHost, exchange.Host);
        values.Add(SpanAttribute.NetworkProtocolVersion, exchange.MinorVersion == 0 ? "1.0"u8 : "1.1"u8);
        if (status != 0)
        {
            values.Add(SpanAttribute.HttpResponseStatusCode, status);
        }

        if (exchange.RequestBody >= 0)
        {
            values.Add(SpanAttribute.HttpRequestBodySize, exchange.RequestBody);
        }

        if (responseBody >= 0)
        {
            values.Add(SpanAttribute.HttpResponseBodySize, responseBody);
        }

        if (outcome == SpanOutcome.TimedOut)
        {
            values.Add(SpanAttribute.ErrorType, "timeout"u8);
        }
        else if (status >= (isServer ? 500 : 400))
        {
            Span<byte> digits = stackalloc byte[10];
            _ = status.TryFormat(digits, out var written, provider: CultureInfo.InvariantCulture);
            values.Add(SpanAttribute.ErrorType, digits[..written]);
        }
        else if (status == 0)
        {
            values.Add(SpanAttribute.ErrorType, "connection_closed"u8);
        }

        return values;
    }

    private void Settle(HttpExchange exchange)
    {
        StopTimer(exchange);
        exchange.IsReported = true;
        Snapshot.Add(ref held, -1);
    }
}
