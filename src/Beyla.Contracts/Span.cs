using System.Net;

namespace Beyla.Contracts;

/// <summary>
/// One request and its answer, seen on one side of the conversation (line type <c>span</c>, docs/stream.md). Immutable.
/// Text comes from the network and is not escaped here: a view must escape it before it reaches a terminal.
/// </summary>
public sealed record Span
{
    /// <summary>Whether the traced process answered or made the request.</summary>
    public SpanKind Kind { get; init; } = SpanKind.Server;

    /// <summary>The protocol: <c>http</c>.</summary>
    public string Protocol { get; init; } = "http";

    /// <summary>How the exchange ended.</summary>
    public SpanOutcome Outcome { get; init; }

    /// <summary>First byte of the request; microseconds, UTC.</summary>
    public DateTimeOffset Start { get; init; }

    /// <summary>The head of the request was complete: from here on the handler could work.</summary>
    public DateTimeOffset HandlerStart => End - HandlerDuration;

    /// <summary>Last byte of the answer.</summary>
    public DateTimeOffset End => Start + Duration;

    /// <summary>From <see cref="Start"/> to <see cref="End"/>, by the monotonic clock.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>From <see cref="HandlerStart"/> to <see cref="End"/>, by the monotonic clock.</summary>
    public TimeSpan HandlerDuration { get; init; }

    /// <summary>Request method (http.request.method).</summary>
    public string Method { get; init; } = "";

    /// <summary>Path without query as on the wire (url.path); ends in … when it was cut.</summary>
    public string Path { get; init; } = "";

    /// <summary>Query without the question mark, sensitive values replaced by *** (url.query); empty when there was none.</summary>
    public string Query { get; init; } = "";

    /// <summary>Status code (http.response.status_code); 0 when there was no answer.</summary>
    public int Status { get; init; }

    /// <summary>Host header, or the authority of an absolute request target.</summary>
    public string Host { get; init; } = "";

    /// <summary>Version of the protocol in the request: 1.0, 1.1; null when the agent did not say.</summary>
    public Version? ProtocolVersion { get; init; }

    /// <summary>Bytes of the request body (http.request.body.size); null when unknown.</summary>
    public long? RequestBodyLength { get; init; }

    /// <summary>Bytes of the answer's body (http.response.body.size); null when unknown.</summary>
    public long? ResponseBodyLength { get; init; }

    /// <summary>
    /// The side that made the request (client.address): for a server the client that a proxy named (PROXY protocol), where one did.
    /// </summary>
    public IPAddress ClientAddress { get; init; } = IPAddress.None;

    /// <summary>Port of the side that made the request (client.port).</summary>
    public int ClientPort { get; init; }

    /// <summary>The side that answered (server.address).</summary>
    public IPAddress ServerAddress { get; init; } = IPAddress.None;

    /// <summary>Port of the side that answered (server.port).</summary>
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

    /// <summary>Kind, status, method, path and duration, for messages. Not escaped.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Kind} {Status} {Method} {Path} {Duration.TotalMilliseconds:0.###} ms");
}
