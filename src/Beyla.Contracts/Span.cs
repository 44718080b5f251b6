using System.Net;

namespace Beyla.Contracts;

/// <summary>
/// One request and its response, seen on one side of the conversation (line type <c>span</c>, docs/stream.md). Immutable.
/// Text comes from the network and is not escaped here: a view must escape it before it reaches a terminal.
/// </summary>
public sealed record Span
{
    /// <summary>Whether the traced process served or made the request.</summary>
    public SpanKind Kind { get; init; } = SpanKind.Server;

    /// <summary>The protocol: <c>http</c>, <c>postgresql</c>, <c>redis</c>.</summary>
    public string Protocol { get; init; } = "http";

    /// <summary>Name of the span, with few different values: <c>GET</c>, <c>SELECT users</c>, <c>HGET</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>How the exchange ended.</summary>
    public SpanOutcome Outcome { get; init; }

    /// <summary>Why the exchange failed (error.type): <c>500</c>, <c>23505</c>, <c>timeout</c>; empty where it did not.</summary>
    public string ErrorType { get; init; } = "";

    /// <summary>First byte of the request; microseconds, UTC.</summary>
    public DateTimeOffset Start { get; init; }

    /// <summary>The head of the request was complete: from here on the handler could work.</summary>
    public DateTimeOffset HandlerStart => End - HandlerDuration;

    /// <summary>Last byte of the response.</summary>
    public DateTimeOffset End => Start + Duration;

    /// <summary>From <see cref="Start"/> to <see cref="End"/>, by the monotonic clock.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>From <see cref="HandlerStart"/> to <see cref="End"/>, by the monotonic clock.</summary>
    public TimeSpan HandlerDuration { get; init; }

    /// <summary>What else the span says, by OpenTelemetry name.</summary>
    public AttributeSet Attributes { get; init; } = AttributeSet.Empty;

    /// <summary>What was asked for: the method, the first keyword, the command; empty when unknown.</summary>
    public string Operation
    {
        get
        {
            var text = First(Known.Operations, "");
            var blank = text.IndexOf(' ', StringComparison.Ordinal);
            return blank < 0 ? text : text[..blank];
        }
    }

    /// <summary>To what it was done: the path, the table, the key and what else follows the command; empty when unknown.</summary>
    public string Target => First(Known.Targets, Operation);

    /// <summary>
    /// The result as the protocol has it: <c>200</c>; <c>23505</c>, <c>WRONGTYPE</c> of an error. Empty when there was no response, or
    /// when the protocol has no code for one that is no error.
    /// </summary>
    public string Status => Attributes.Text(Known.Status);

    /// <summary>Method of an HTTP request (http.request.method); empty for other protocols, as what follows.</summary>
    public string Method => Attributes.Text(SpanAttribute.HttpRequestMethod);

    /// <summary>Path without query as on the wire (url.path); ends in … when it was cut.</summary>
    public string Path => Attributes.Text(SpanAttribute.UrlPath);

    /// <summary>Query without the question mark, sensitive values replaced by *** (url.query); empty when there was none.</summary>
    public string Query => Attributes.Text(SpanAttribute.UrlQuery);

    /// <summary>Status code of HTTP (http.response.status_code); 0 when there was no response.</summary>
    public int StatusCode => (int)Math.Clamp(Attributes.Number(SpanAttribute.HttpResponseStatusCode) ?? 0, 0, int.MaxValue);

    /// <summary>Host header, or the authority of an absolute request target.</summary>
    public string Host => Attributes.Text(SpanAttribute.HttpRequestHeaderHost);

    /// <summary>Version of the protocol in the request: <c>1.0</c>, <c>1.1</c>; empty when the agent did not say.</summary>
    public string ProtocolVersion => Attributes.Text(SpanAttribute.NetworkProtocolVersion);

    /// <summary>The path with what varies put together (http.route); empty when the agent did not say.</summary>
    public string Route => Attributes.Text(SpanAttribute.HttpRoute);

    /// <summary>Bytes of the body of an HTTP request (http.request.body.size); null when unknown.</summary>
    public long? RequestBodyLength => Attributes.Number(SpanAttribute.HttpRequestBodySize);

    /// <summary>Bytes of the body of an HTTP response (http.response.body.size); null when unknown.</summary>
    public long? ResponseBodyLength => Attributes.Number(SpanAttribute.HttpResponseBodySize);

    /// <summary>
    /// The side that made the request (client.address): for a server the client that a proxy named (PROXY protocol), where one did.
    /// </summary>
    public IPAddress ClientAddress { get; init; } = IPAddress.None;

    /// <summary>Port of the side that made the request (client.port).</summary>
    public int ClientPort { get; init; }

    /// <summary>The side that served it (server.address).</summary>
    public IPAddress ServerAddress { get; init; } = IPAddress.None;

    /// <summary>Port of the side that served it (server.port).</summary>
    public int ServerPort { get; init; }

    /// <summary>
    /// The other end of the socket of a server whose client was named by a proxy (network.peer.address): the proxy.
    /// null where the client is the peer.
    /// </summary>
    public IPAddress? PeerAddress { get; init; }

    /// <summary>Port of <see cref="PeerAddress"/> (network.peer.port); 0 where that is null.</summary>
    public int PeerPort { get; init; }

    /// <summary>Address of the traced process.</summary>
    public IPAddress LocalAddress => Kind == SpanKind.Client ? ClientAddress : ServerAddress;

    /// <summary>Port of the traced process.</summary>
    public int LocalPort => Kind == SpanKind.Client ? ClientPort : ServerPort;

    /// <summary>Address of the side that the traced process talked to.</summary>
    public IPAddress RemoteAddress => Kind == SpanKind.Client ? ServerAddress : PeerAddress ?? ClientAddress;

    /// <summary>Port of the side that the traced process talked to.</summary>
    public int RemotePort => Kind == SpanKind.Client ? ServerPort : PeerAddress is null ? ClientPort : PeerPort;

    /// <summary>Name of the traced service (service.name).</summary>
    public string ServiceName { get; init; } = "";

    /// <summary>Namespace of the traced service (service.namespace); may be empty.</summary>
    public string ServiceNamespace { get; init; } = "";

    /// <summary>Language of the traced process.</summary>
    public ProcessLanguage Language { get; init; }

    /// <summary>The traced process, in the pid namespace of the host (process.pid).</summary>
    public int ProcessId { get; init; }

    /// <summary>The thread that did the input or output (thread.id).</summary>
    public int ThreadId { get; init; }

    /// <summary>File name of <see cref="Executable"/> (process.executable.name).</summary>
    public string ProcessName => Executable[(Executable.LastIndexOf('/') + 1)..];

    /// <summary>Path of the executable as the process sees it (process.executable.path); empty where it may not be read.</summary>
    public string Executable { get; init; } = "";

    /// <summary>Inode of the network namespace of the socket.</summary>
    public long NetworkNamespace { get; init; }

    /// <summary>Identity of the connection on this host; spans with the same one used the same connection.</summary>
    public ulong Connection { get; init; }

    /// <summary>Identity of the trace, 32 hexadecimal digits; empty where the agent gives none.</summary>
    public string TraceId { get; init; } = "";

    /// <summary>Identity of the span in its trace, 16 hexadecimal digits; empty where the agent gives none.</summary>
    public string SpanId { get; init; } = "";

    /// <summary>Identity of the span that led to this one; empty where there is none.</summary>
    public string ParentId { get; init; } = "";

    /// <summary>How the parent was found; <see cref="ParentSource.Agreement"/> is a guess.</summary>
    public ParentSource ParentSource { get; init; }

    /// <summary>The flags of the trace, 0 to 255: bit 0: sampled, bit 1: its identity is random (W3C Trace Context level 2).</summary>
    public int TraceFlags { get; init; }

    /// <summary>The <c>tracestate</c> that came with the request; empty where there is none.</summary>
    public string TraceState { get; init; } = "";

    private SpanProtocol Known => SpanProtocol.Of(Protocol);

    /// <summary>Kind, result, what was done to what, and duration, for messages. Not escaped.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Kind} {Result} {Operation} {Target} {Duration.TotalMilliseconds:0.###} ms");

    private string Result => Status is { Length: > 0 } status ? status
        : Known == SpanProtocol.Http ? "0"
        : Outcome == SpanOutcome.Complete ? "OK" : Outcome.ToString();

    /// <summary>The first of the attributes that has a text, without the word that it begins with where that is the given one.</summary>
    private string First(IReadOnlyList<SpanAttribute> candidates, string without)
    {
        for (var i = 0; i < candidates.Count; i++)
        {
            var text = Attributes.Text(candidates[i]);
            if (without.Length > 0 && text.StartsWith(without, StringComparison.OrdinalIgnoreCase)
                && (text.Length == without.Length || text[without.Length] == ' '))
            {
                text = text[without.Length..].TrimStart();
            }

            if (text.Length > 0)
            {
                return text;
            }
        }

        return "";
    }
}
