using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// The part of one operation that is new on its stream, consumed from the front: first the captured bytes, then those
/// that were moved but not captured.
/// </summary>
public ref struct Segment
{
    private uint unwalked;

    /// <summary>Captured bytes that wait to be consumed.</summary>
    public ReadOnlySpan<byte> Data { get; set; }

    /// <summary>Bytes after <see cref="Data"/> that are known by number only.</summary>
    public long Unseen { get; set; }

    /// <summary>The last bytes of the operation, or empty when they were not read.</summary>
    public ReadOnlySpan<byte> Tail { get; set; }

    /// <summary>
    /// The first byte begins a frame of the protocol, as the kernel side has followed them: what was not visible before it were whole ones.
    /// </summary>
    public bool IsAligned { get; set; }

    /// <summary>
    /// Of <see cref="Unseen"/> the last so many bytes: the kernel side did not follow the frames in them. Of what is unseen elsewhere in an
    /// operation it is known that it was left out on purpose; here anything may begin or end.
    /// </summary>
    public uint Unwalked
    {
        readonly get => (uint)Math.Min(unwalked, Unseen);
        set => unwalked = value;
    }

    /// <summary>The direction of the bytes.</summary>
    public SocketDirection Direction { get; set; }

    /// <summary>No operation at all but a jump of the sequence numbers: the event was lost or never made.</summary>
    public bool IsGap { get; set; }

    /// <summary>CLOCK_MONOTONIC in nanoseconds.</summary>
    public long Time { get; set; }

    /// <summary>Sequence number of the next byte of the other direction when the operation was done.</summary>
    public uint Opposite { get; set; }

    /// <summary>Process that did the operation, in the initial pid namespace.</summary>
    public int Pid { get; set; }

    /// <summary>Thread that did the operation, in the initial pid namespace.</summary>
    public int Tid { get; set; }

    /// <summary>Of a Go program: number of the goroutine whose operation it is; 0 where it is not known.</summary>
    public long Goroutine { get; set; }

    /// <summary>Number of the goroutine that started it; 0 where it is not known.</summary>
    public long ParentGoroutine { get; set; }

    /// <summary>
    /// <see cref="Goroutine"/> is the one that asked for the request that is sent. Without this the operation may be that of a goroutine
    /// of the connection, which works for whoever uses it: who started that one says nothing.
    /// </summary>
    public bool IsCalled { get; set; }

    /// <summary>Bytes that wait to be consumed, seen or not.</summary>
    public readonly long Left => Data.Length + Unseen;

    /// <summary>
    /// Consumes <paramref name="count"/> bytes, at most <see cref="Left"/>. The last bytes become visible again through the tail.
    /// </summary>
    public void Skip(long count)
    {
        IsAligned &= count == 0;
        if (count <= Data.Length)
        {
            Data = Data[(int)count..];
        }
        else
        {
            Unseen -= count - Data.Length;
            Data = default;
        }

        if (Data.IsEmpty && Unseen > 0 && Unseen <= Tail.Length)
        {
            Data = Tail[^(int)Unseen..];
            Unseen = 0;
        }
    }

    /// <summary>Consumes everything.</summary>
    public void SkipAll()
    {
        Data = default;
        Unseen = 0;
    }

    /// <summary>Whether the operation ends with <paramref name="suffix"/>, as far as its end is visible.</summary>
    public readonly bool EndsWith(ReadOnlySpan<byte> suffix) => (Unseen == 0 ? Data : Tail).EndsWith(suffix);
}
