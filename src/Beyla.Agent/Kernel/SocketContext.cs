using System.Runtime.InteropServices;

namespace Beyla.Agent.Kernel;

/// <summary>Where the context of a message comes from (bpf/propagation.h, enum context_source).</summary>
public enum SocketContextSource : byte
{
    /// <summary>Nowhere: the kernel side has begun a trace.</summary>
    Fresh = 0,

    /// <summary>The head of the request has it (<c>traceparent</c>).</summary>
    Header = 1,

    /// <summary>The TCP option of the segment that the request began in.</summary>
    Option = 2,

    /// <summary>The request that the calling thread has read and not answered.</summary>
    Thread = 3,

    /// <summary>The same of the calling goroutine, or of the one that has started it.</summary>
    Goroutine = 4,

    /// <summary>The only request that the process has begun to read and not answered: a guess.</summary>
    Agreement = 5,
}

/// <summary>
/// The trace context of a message (bpf/propagation.h, struct context): what follows a <see cref="SocketEvent"/> of the kind
/// <see cref="SocketEventKind.Context"/>, which comes before the one with the first bytes of the message.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct SocketContext
{
    /// <summary>First eight bytes of the identity of the trace, in the order in which they are written, as all identities here.</summary>
    public ulong TraceHigh;

    /// <summary>Last eight bytes of it.</summary>
    public ulong TraceLow;

    /// <summary>Identity of the span that the message belongs to.</summary>
    public ulong Span;

    /// <summary>Identity of the span above it; 0 when there is none.</summary>
    public ulong Parent;

    /// <summary>The flags of the trace.</summary>
    public byte Flags;

    /// <summary>Where it comes from.</summary>
    public SocketContextSource Source;

    /// <summary>Bytes that the kernel side has put into the head of the message; they have numbers as all others.</summary>
    public byte Inserted;

    /// <summary>The first of five bytes that are not used.</summary>
    public byte Reserved;
}
