using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tracing;

/// <summary>The trace context of a message that is about to begin, as the kernel side has settled it.</summary>
public readonly record struct MessageContext
{
    /// <summary>First eight bytes of the identity of the trace.</summary>
    public ulong TraceHigh { get; init; }

    /// <summary>Last eight bytes of the identity of the trace.</summary>
    public ulong TraceLow { get; init; }

    /// <summary>Identity of the span that the message belongs to; 0: there is no context.</summary>
    public ulong SpanId { get; init; }

    /// <summary>Identity of the span above it, or 0.</summary>
    public ulong ParentId { get; init; }

    /// <summary>The flags of the trace.</summary>
    public byte Flags { get; init; }

    /// <summary>Where it comes from.</summary>
    public SocketContextSource Source { get; init; }

    /// <summary>Which way the message goes.</summary>
    public SocketDirection Direction { get; init; }

    /// <summary>TCP sequence number of its first byte.</summary>
    public uint Sequence { get; init; }

    /// <summary>Reads an event of the kind <see cref="SocketEventKind.Context"/>.</summary>
    /// <param name="e">The event.</param>
    /// <param name="data">The bytes behind it.</param>
    /// <param name="context">The context.</param>
    /// <returns>False when they are too few, or name nothing.</returns>
    public static bool TryRead(in SocketEvent e, ReadOnlySpan<byte> data, out MessageContext context)
    {
        context = default;
        if (data.Length < Unsafe.SizeOf<SocketContext>())
        {
            return false;
        }

        var read = MemoryMarshal.Read<SocketContext>(data);
        context = new MessageContext
        {
            TraceHigh = Number(read.TraceHigh),
            TraceLow = Number(read.TraceLow),
            SpanId = Number(read.Span),
            ParentId = Number(read.Parent),
            Flags = read.Flags,
            Source = read.Source,
            Direction = e.Direction,
            Sequence = e.Sequence,
        };
        return (context.TraceHigh | context.TraceLow) != 0 && context.SpanId != 0;
    }

    /// <summary>The same as spans have it.</summary>
    public TraceContext ToTrace() => new()
    {
        TraceHigh = TraceHigh,
        TraceLow = TraceLow,
        SpanId = SpanId,
        ParentId = ParentId,
        Flags = Flags,
        Source = Source switch
        {
            SocketContextSource.Header => ParentSource.Header,
            SocketContextSource.Option => ParentSource.Option,
            SocketContextSource.Thread => ParentSource.Thread,
            SocketContextSource.Goroutine => ParentSource.Goroutine,
            SocketContextSource.Agreement => ParentSource.Agreement,
            _ => ParentSource.None,
        },
    };

    private static ulong Number(ulong written) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(written) : written;
}
