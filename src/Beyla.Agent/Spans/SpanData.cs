using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Spans;

/// <summary>
/// One request and its answer as the tracer hands it to printers and exporters. Valid only during the call; bytes are as captured:
/// untrusted, unescaped. Times are CLOCK_MONOTONIC in nanoseconds.
/// </summary>
public readonly ref struct SpanData
{
    /// <summary>The protocol of the connection.</summary>
    public ProtocolId Protocol { get; init; }

    /// <summary>What else is known: valid only during the call, not redacted yet.</summary>
    public SpanValues Values { get; init; }

    /// <summary>The side on which the exchange was seen.</summary>
    public SpanKind Kind { get; init; }

    /// <summary>How the exchange ended.</summary>
    public SpanOutcome Outcome { get; init; }

    /// <summary>Process that did the I/O, in the initial pid namespace.</summary>
    public int Pid { get; init; }

    /// <summary>Thread that did the I/O, in the initial pid namespace.</summary>
    public int Tid { get; init; }

    /// <summary>Inode of the network namespace of the socket.</summary>
    public uint NetworkNamespace { get; init; }

    /// <summary>Identity of the connection.</summary>
    public ulong Connection { get; init; }

    /// <summary>First byte of the request.</summary>
    public long Start { get; init; }

    /// <summary>The head of the request was complete: from here on the handler could work.</summary>
    public long HandlerStart { get; init; }

    /// <summary>Last byte of the answer.</summary>
    public long End { get; init; }

    /// <summary>
    /// The side that made the request: for a server the client that a proxy named (<see cref="IsClientNamed"/>), else
    /// the end of the socket.
    /// </summary>
    public Address ClientAddress { get; init; }

    /// <summary>Port of <see cref="ClientAddress"/>.</summary>
    public ushort ClientPort { get; init; }

    /// <summary>
    /// The client is the one that the peer named in a PROXY header, which anyone can claim; the peer itself is
    /// <see cref="PeerAddress"/>.
    /// </summary>
    public bool IsClientNamed { get; init; }

    /// <summary>The other end of the socket.</summary>
    public Address PeerAddress { get; init; }

    /// <summary>Port of <see cref="PeerAddress"/>.</summary>
    public ushort PeerPort { get; init; }

    /// <summary>The side that answered.</summary>
    public Address ServerAddress { get; init; }

    /// <summary>Port of <see cref="ServerAddress"/>.</summary>
    public ushort ServerPort { get; init; }

    /// <summary>Request method token.</summary>
    public ReadOnlySpan<byte> Method { get; init; }

    /// <summary>Path without query, as on the wire.</summary>
    public ReadOnlySpan<byte> Path { get; init; }

    /// <summary>Query without the question mark, as on the wire: not redacted yet.</summary>
    public ReadOnlySpan<byte> Query { get; init; }

    /// <summary>Host header, or the authority of an absolute request target.</summary>
    public ReadOnlySpan<byte> Host { get; init; }

    /// <summary>Minor version of HTTP/1.x of the request: 0 or 1.</summary>
    public byte MinorVersion { get; init; }

    /// <summary>Status code; 0 when there was no answer.</summary>
    public int Status { get; init; }

    /// <summary>Body bytes of the request, without chunk framing where that was seen; -1 when unknown.</summary>
    public long RequestBodyLength { get; init; }

    /// <summary>Body bytes of the answer, without chunk framing where that was seen; -1 when unknown.</summary>
    public long ResponseBodyLength { get; init; }
}
