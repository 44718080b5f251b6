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

    /// <summary>RENEWED_PLACES.</summary>
    internal const int RenewedPlaces = 8192;

    /// <summary>The bits of a pid in renewal_of(); above them is the time.</summary>
    private const int PidBits = 22, TimeUnitBits = 14;

    /// <summary>As <see cref="Layout.Renewed"/>, of the events that were read; 0: none.</summary>
    private readonly ulong[] heard = new ulong[RenewedPlaces];

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

    /// <summary>
    /// Traces the process no longer, unless an event that selected it is yet to be read: then it runs another program than the one
    /// that was judged, and is judged again when <see cref="Heard"/> was told of that event. One thread only.
    /// </summary>
    public void Deselect(int pid)
    {
        // Not even for a moment: what the process did in it would be unseen, and its end would not be reported.
        if (IsRenewed(pid))
        {
            return;
        }

        Set(Memory->Pids, pid, PidLimit, false);
        // The kernel side notes the event and then sets the bit, this side clears the bit and then looks at the note, all four atomic
        // or fenced by what is: either the bit was set after it was cleared here, or the note is seen.
        if (IsRenewed(pid))
        {
            Select(pid);
        }
    }

    /// <summary>An event of the watcher about this process was read: what is said of it from now on is about what it did then.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="time">CLOCK_MONOTONIC in ns, as the event has it.</param>
    public void Heard(int pid, ulong time)
    {
        var renewal = (time >> TimeUnitBits << PidBits) | ((uint)pid % PidLimit);
        ref var last = ref heard[(uint)pid % RenewedPlaces];
        if (last == 0 || IsLater(renewal, last))
        {
            last = renewal;
        }
    }

    private bool IsRenewed(int pid)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pid);
        var renewal = Volatile.Read(ref Memory->Renewed[pid % RenewedPlaces]);
        var last = heard[pid % RenewedPlaces];
        return renewal != 0 && renewal % PidLimit == (uint)pid && (last == 0 || IsLater(renewal, last));
    }

    /// <summary>By their times, which wrap after two years of uptime.</summary>
    private static bool IsLater(ulong renewal, ulong other) => (long)((renewal >> PidBits << PidBits) - (other >> PidBits << PidBits)) > 0;

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

        /// <summary>renewal_of() the last event that selected a process, in the place pid % <see cref="RenewedPlaces"/>.</summary>
        public fixed ulong Renewed[RenewedPlaces];

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
