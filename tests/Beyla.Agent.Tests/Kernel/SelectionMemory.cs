using Beyla.Agent.Tests.Linux;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>
/// Memory in the place of the map <c>selection</c>: this plays the kernel's part. The offsets are those of struct selection in
/// bpf/include/selection.h,
/// worked out by hand: a bit for each of 4194304 process ids (PID_MAX_LIMIT, include/linux/threads.h), three times, one for each of
/// 65536 ports, and 8192 words of renewals.
/// </summary>
internal sealed unsafe class SelectionMemory : IDisposable
{
    public const int Pids = 0, Excluded = 524288, Go = 1048576, Ports = 1572864,
        Renewed = 1581056, Asleep = 1646592, Capture = 1646596, ByPort = 1646600, Lost = 1646604;

    /// <summary>
    /// The struct has 1646608 bytes; the kernel rounds up to pages what is mapped (array_map_alloc() in kernel/bpf/arraymap.c).
    /// </summary>
    private const int Size = 1646608;

    private readonly MemoryFile file;
    private readonly byte* memory;

    public SelectionMemory()
    {
        file = new MemoryFile(Size);
        memory = file.Bytes;
    }

    public int Descriptor => file.Descriptor;

    /// <summary>All bytes that are not zero: where and what.</summary>
    public List<(int Offset, byte Value)> Written
    {
        get
        {
            List<(int, byte)> written = [];
            ReadOnlySpan<byte> bytes = new(memory, Size);
            for (int at, from = 0; (at = bytes[from..].IndexOfAnyExcept((byte)0)) >= 0; from += at + 1)
            {
                written.Add((from + at, bytes[from + at]));
            }

            return written;
        }
    }

    /// <summary>One of the 32-bit fields.</summary>
    public uint this[int offset]
    {
        get => Volatile.Read(ref *(uint*)(memory + offset));
        set => Volatile.Write(ref *(uint*)(memory + offset), value);
    }

    /// <summary>renew_pid(): the kernel side selects a process by an event, and then sends that.</summary>
    public void Renew(int pid, ulong time)
    {
        // Steps of 2^14 ns above the 22 bits of a pid, in place pid % 8192.
        Volatile.Write(ref ((ulong*)(memory + Renewed))[pid & 0x1fff], (time / 16384 * 4194304) + (uint)pid);
        Interlocked.Or(ref ((ulong*)memory)[pid / 64], 1UL << (pid % 64));
    }

    /// <summary>Takes the renewals away, to see the rest.</summary>
    public void ForgetRenewals() => new Span<byte>(memory + Renewed, 65536).Clear();

    public void Dispose() => file.Dispose();
}
