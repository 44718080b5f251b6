using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// The kernel side's list of who is traced (bpf/include/selection.h), mapped into this process: a change is a memory write, so it needs no
/// system call and no capability and holds from the next operation on.
/// </summary>
public sealed unsafe partial class SelectionMap : IDisposable
{
    /// <summary>Name of the map: the section that libbpf makes it of.</summary>
    public const string Name = ".bss.selection";

    /// <summary>The highest process id a 64-bit kernel gives (include/linux/threads.h).</summary>
    public const int PidLimit = 4194304;

    private readonly BpfMap? map;
    private readonly nuint length;
    private Layout* mapped;

    /// <param name="map">The loaded map <see cref="Name"/>; mapped when it is used, since a process may only pass it on.</param>
    public SelectionMap(BpfMap map)
    {
        var page = (nuint)Environment.SystemPageSize;
        length = ((nuint)sizeof(Layout) + page - 1) & ~(page - 1);
        this.map = map;
    }

    /// <param name="descriptor">What to map: the map's descriptor, or memory of that size, which then stands for the kernel's side.</param>
    /// <exception cref="KernelException">It cannot be mapped.</exception>
    public SelectionMap(int descriptor)
        : this(null!) => mapped = MapMemory(descriptor);

    /// <summary>The map, to be shared with further objects.</summary>
    public BpfMap Map =>
        map ?? throw new InvalidOperationException("This selection is memory only; no map of the kernel stands behind it.");

    /// <summary>Traces the process.</summary>
    public void Select(int pid) => Set(Memory->Pids, pid, PidLimit, true);

    /// <summary>Traces the process no longer.</summary>
    public void Deselect(int pid) => Set(Memory->Pids, pid, PidLimit, false);

    /// <summary>Whether the process is traced.</summary>
    public bool IsSelected(int pid) => Has(Memory->Pids, pid, PidLimit);

    /// <summary>Never traces the process, whatever port it uses. The kernel side forgets this when the process ends.</summary>
    public void Exclude(int pid)
    {
        Set(Memory->Excluded, pid, PidLimit, true);
        Deselect(pid);
    }

    /// <summary>Takes back <see cref="Exclude"/>.</summary>
    public void Include(int pid) => Set(Memory->Excluded, pid, PidLimit, false);

    /// <summary>
    /// Goroutines of the process are looked at from now on, or no longer. The kernel side forgets this when the process ends or runs
    /// another program.
    /// </summary>
    public void MarkGo(int pid, bool on) => Set(Memory->Go, pid, PidLimit, on);

    /// <summary>Traces whoever uses or begins to listen on this local port.</summary>
    public void SelectPort(int port)
    {
        Set(Memory->Ports, port, 65536, true);
        Volatile.Write(ref Memory->ByPort, 1u);
    }

    /// <summary>Opens or closes the gate for all socket events at once.</summary>
    public void Capture(bool on) => Volatile.Write(ref Memory->CaptureOn, on ? 1u : 0u);

    /// <summary>Tells the kernel side that the reader is about to wait without a short time limit: the next event wakes it.</summary>
    public void Sleep()
    {
        Volatile.Write(ref Memory->Asleep, 1u);
        // Seen by the kernel side before this thread looks for what is there already.
        Interlocked.MemoryBarrier();
    }

    /// <summary>Takes back <see cref="Sleep"/>.</summary>
    public void Wake() => Volatile.Write(ref Memory->Asleep, 0u);

    /// <summary>Events of processes that were lost for want of room since the programs run; it wraps.</summary>
    public uint Lost => Volatile.Read(ref Memory->Lost);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (mapped != null)
        {
            SharedMemory.Unmap(mapped, length);
        }
    }

    private Layout* Memory => mapped != null ? mapped : mapped = MapMemory(Map.FileDescriptor);

    private Layout* MapMemory(int descriptor)
    {
        var memory = SharedMemory.Map(descriptor, 0, length, SharedMemory.Read | SharedMemory.Write);
        return memory == null
            ? throw new KernelException("map the selection", Marshal.GetLastPInvokeError())
            : (Layout*)memory;
    }

    private static void Set(ulong* words, int bit, int limit, bool value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bit);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(bit, limit);
        ref var word = ref words[bit / 64];
        _ = value ? Interlocked.Or(ref word, 1UL << bit) : Interlocked.And(ref word, ~(1UL << bit));
    }

    private static bool Has(ulong* words, int bit, int limit) =>
        (uint)bit < (uint)limit && (Volatile.Read(ref words[bit / 64]) >> bit & 1) != 0;

    /// <summary>struct selection.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Layout
    {
        /// <summary>One bit for each pid: traced.</summary>
        public fixed ulong Pids[PidLimit / 64];

        /// <summary>One bit for each pid: never traced.</summary>
        public fixed ulong Excluded[PidLimit / 64];

        /// <summary>One bit for each pid: runs Go, and <see cref="GoOffsets"/> are there for it.</summary>
        public fixed ulong Go[PidLimit / 64];

        /// <summary>One bit for each local port that selects whoever uses it.</summary>
        public fixed ulong Ports[65536 / 64];

        /// <summary>1: the reader waits without a time limit, so the next event must wake it.</summary>
        public uint Asleep;

        /// <summary>0 until the agent is ready for events.</summary>
        public uint CaptureOn;

        /// <summary>1: some bit of <see cref="Ports"/> is set.</summary>
        public uint ByPort;

        /// <summary>Events of processes that were never reported; it wraps.</summary>
        public uint Lost;
    }
}
