using System.Runtime.InteropServices;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>
/// Memory in the place of the map <c>selection</c>: this plays the kernel's part. The offsets are those of struct selection in
/// bpf/include/selection.h,
/// worked out by hand: a bit for each of 4194304 process ids (PID_MAX_LIMIT, include/linux/threads.h), twice, and one for each of 65536
/// ports.
/// </summary>
internal sealed unsafe partial class SelectionMemory : IDisposable
{
    public const int Pids = 0, Excluded = 524288, Ports = 1048576, Asleep = 1056768, Capture = 1056772, ByPort = 1056776, Lost = 1056780;

    /// <summary>
    /// The struct has 1056784 bytes; the kernel rounds up to pages what is mapped (array_map_alloc() in kernel/bpf/arraymap.c).
    /// </summary>
    private const int Size = 1056784;

    private readonly byte* memory;

    public SelectionMemory()
    {
        Descriptor = memfd_create("selection", 1 /* MFD_CLOEXEC */);
        Assert.True(Descriptor >= 0);
        Assert.Equal(0, ftruncate(Descriptor, Size));
        memory = (byte*)mmap(null, Size, 3 /* PROT_READ | PROT_WRITE */, 1 /* MAP_SHARED */, Descriptor, 0);
        Assert.False(memory == (byte*)-1);
    }

    public int Descriptor { get; }

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

    public void Dispose()
    {
        _ = munmap(memory, Size);
        _ = close(Descriptor);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc")]
    private static partial int ftruncate(int descriptor, long length);

    [LibraryImport("libc")]
    private static partial void* mmap(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc")]
    private static partial int munmap(void* address, nuint length);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);
}
