using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>What the first bytes of a direction wait for.</summary>
internal enum Wait : byte
{
    /// <summary>The next bytes.</summary>
    ForMore = 0,

    /// <summary>A decision: the next bytes are missing.</summary>
    BeforeGap,

    /// <summary>Nothing: no protocol wants them, but one may want the other direction.</summary>
    InVain,
}

/// <summary>
/// Stands in for a conversation while it is not known what a connection speaks: keeps the first few bytes of each direction, in small
/// operations, until a protocol says that they are its own; then they are delivered as they came, each with its own time. Objects are used
/// again.
/// </summary>
internal sealed class Undecided(Recognition recognition) : Conversation
{
    /// <summary>Bytes that are kept of a direction.</summary>
    public const int MaxBytes = 64;

    /// <summary>Estimate of what an object takes without what it rents.</summary>
    public const int Size = 256;

    /// <summary>Byte by byte in both directions, and gaps.</summary>
    private const int MaxOperations = (2 * MaxBytes) + 8;

    private Bytes bytes;
    private byte[]? buffer;
    private int kept, received, sent;
    private Wait receiving, sending;

    /// <summary>Whether the kernel side saw the connection begin.</summary>
    public bool IsFresh { get; private set; }

    /// <inheritdoc/>
    public override bool IsIdle => false;

    /// <summary>Operations and gaps that wait.</summary>
    public int Count { get; private set; }

    private Span<Operation> Operations => MemoryMarshal.Cast<byte, Operation>(buffer.AsSpan());

    /// <summary>Ready for a connection.</summary>
    public void Begin(bool isFresh)
    {
        kept = received = sent = Count = 0;
        receiving = sending = Wait.ForMore;
        IsFresh = isFresh;
    }

    /// <summary>Gives back what it rented.</summary>
    public void Forget(BufferPool buffers)
    {
        buffers.Return(buffer);
        buffer = null;
    }

    /// <summary>Whether so little was moved that it can wait.</summary>
    public static bool CanWait(in Opening opening) => opening.Data.Length == opening.Length && opening.Length <= MaxBytes;

    /// <summary>What the bytes of that direction wait for.</summary>
    public ref Wait Of(SocketDirection direction) => ref direction == SocketDirection.Send ? ref sending : ref receiving;

    /// <summary>Bytes that wait in that direction.</summary>
    public int Length(SocketDirection direction) => direction == SocketDirection.Send ? sent : received;

    /// <summary>Puts the bytes that wait in a direction and the next ones together.</summary>
    /// <param name="segment">The next ones.</param>
    /// <param name="scratch">Where to; at least <see cref="MaxBytes"/>.</param>
    /// <returns>The bytes, as far as there is room.</returns>
    public ReadOnlySpan<byte> Join(in Segment segment, Span<byte> scratch)
    {
        if (Length(segment.Direction) == 0)
        {
            return segment.Data;
        }

        var length = 0;
        for (var i = 0; i < Count; i++)
        {
            ref readonly var operation = ref Operations[i];
            if (operation.Direction == segment.Direction && !operation.IsGap)
            {
                BytesOf(in operation).CopyTo(scratch[length..]);
                length += operation.Captured;
            }
        }

        var more = segment.Data[..Math.Min(segment.Data.Length, scratch.Length - length)];
        more.CopyTo(scratch[length..]);
        return scratch[..(length + more.Length)];
    }

    /// <summary>
    /// Whether there is room: for all bytes of an operation, or, in a direction that nobody wants, for the number of its bytes.
    /// </summary>
    public bool HasRoom(in Segment segment) => Count < MaxOperations
        && (Of(segment.Direction) == Wait.InVain || (segment.Unseen == 0 && Length(segment.Direction) + segment.Data.Length <= MaxBytes));

    /// <summary>What waits at that place: a segment, or a gap.</summary>
    /// <param name="index">From 0 on, in the order in which they came.</param>
    /// <param name="segment">Its bytes are valid until <see cref="Begin"/>.</param>
    /// <param name="gap">First and last sequence number of a gap.</param>
    public void Get(int index, ref Segment segment, out (uint From, uint Until) gap)
    {
        ref readonly var operation = ref Operations[index];
        gap = (operation.From, operation.From + (uint)operation.Length);
        segment = new Segment
        {
            Data = BytesOf(in operation),
            Unseen = operation.Length - operation.Captured,
            Direction = operation.Direction,
            IsGap = operation.IsGap,
            Time = operation.Time,
            Opposite = operation.Opposite,
            Pid = operation.Pid,
            Tid = operation.Tid,
            Goroutine = operation.Goroutine,
            ParentGoroutine = operation.ParentGoroutine,
            IsCalled = operation.IsCalled,
        };
    }

    /// <summary>Keeps an operation for which <see cref="HasRoom"/>.</summary>
    public override void OnData(ref Segment segment)
    {
        ref var length = ref segment.Direction == SocketDirection.Send ? ref sent : ref received;
        var captured = Math.Min(segment.Data.Length, MaxBytes - length);
        Add(new Operation
        {
            Time = segment.Time,
            Length = segment.Left,
            Opposite = segment.Opposite,
            Pid = segment.Pid,
            Tid = segment.Tid,
            Goroutine = segment.Goroutine,
            ParentGoroutine = segment.ParentGoroutine,
            IsCalled = segment.IsCalled,
            Start = (byte)kept,
            Captured = (byte)captured,
            Direction = segment.Direction,
        });
        segment.Data[..captured].CopyTo(((Span<byte>)bytes)[kept..]);
        kept += captured;
        length += captured;
        segment.SkipAll();
    }

    /// <inheritdoc/>
    public override void OnGap(SocketDirection direction, uint from, uint until, long time)
    {
        IsFresh = false;
        if (Length(direction) > 0 && Of(direction) == Wait.ForMore)
        {
            Of(direction) = Wait.BeforeGap;
        }

        if (Count < MaxOperations)
        {
            Add(new Operation { Direction = direction, IsGap = true, From = from, Length = until - from, Time = time });
        }
    }

    /// <inheritdoc/>
    public override void OnSendShut(long time)
    {
    }

    /// <inheritdoc/>
    public override void OnClose(long time)
    {
    }

    /// <inheritdoc/>
    public override void OnStale()
    {
    }

    /// <inheritdoc/>
    public override void OnEvict()
    {
    }

    /// <inheritdoc/>
    public override void Release() => recognition.Return(this);

    private void Add(in Operation operation)
    {
        if (Count == Operations.Length)
        {
            var buffers = recognition.Buffers;
            var larger = buffers.Rent((Count + 1) * Unsafe.SizeOf<Operation>());
            buffer.AsSpan().CopyTo(larger);
            buffers.Return(buffer);
            buffer = larger;
        }

        Operations[Count++] = operation;
    }

    private ReadOnlySpan<byte> BytesOf(in Operation operation) => ((Span<byte>)bytes).Slice(operation.Start, operation.Captured);

    private struct Operation
    {
        public long Time, Length, Goroutine, ParentGoroutine;
        public uint Opposite, From;
        public int Pid, Tid;
        public byte Start, Captured;
        public SocketDirection Direction;
        public bool IsGap, IsCalled;
    }

    [InlineArray(2 * MaxBytes)]
    private struct Bytes
    {
        private byte first;
    }
}
