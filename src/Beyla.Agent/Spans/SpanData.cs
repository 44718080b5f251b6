using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Spans;

/// <summary>
/// One request and its response as the tracer hands it to printers and exporters. Valid only during the call, because
/// <see cref="Values"/> are used again. Times are CLOCK_MONOTONIC in nanoseconds.
/// </summary>
public readonly struct SpanData
{
    /// <summary>The protocol of the connection.</summary>
    public ProtocolId Protocol { get; init; }

    /// <summary>
    /// What else is known: bytes as captured, untrusted, unescaped; redacted only in what an <see cref="IExportSink"/> gets.
    /// </summary>
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

    /// <summary>Its place in a trace.</summary>
    public TraceContext Context { get; init; }

    /// <summary>First byte of the request.</summary>
    public long Start { get; init; }

    /// <summary>The head of the request was complete: from here on the handler could work.</summary>
    public long HandlerStart { get; init; }

    /// <summary>Last byte of the response.</summary>
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

    /// <summary>The side that served it.</summary>
    public Address ServerAddress { get; init; }

    /// <summary>Port of <see cref="ServerAddress"/>.</summary>
    public ushort ServerPort { get; init; }
}
