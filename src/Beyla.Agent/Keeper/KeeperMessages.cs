using System.Runtime.InteropServices;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Keeper;

/// <summary>
/// All that the worker may ask of the keeper. Each is bounded, and none has the keeper decode what others wrote: it opens, attaches,
/// counts. The numbers are part of the protocol between two processes of one build, so they may change with it.
/// </summary>
public enum KeeperOperation : uint
{
    /// <summary>Nothing; refused, which is an answer: who gets it knows that the keeper goes on.</summary>
    None = 0,

    /// <summary>
    /// The configuration file that the keeper read (text), the capabilities for files of /proc (<see cref="KeeperReply.Value"/>), and the
    /// socket by which the keeper tells when to stop (1 descriptor). Once, first.
    /// </summary>
    Configuration = 1,

    /// <summary>
    /// What was loaded and attached for application observability: <see cref="ApplicationFacts"/>, and 6 descriptors of maps: selection,
    /// ring of process events, ring of socket events, verdicts, passed bytes, thread rules. ENODEV where it did not start.
    /// </summary>
    Application,

    /// <summary>A further socket with a thread of its own behind it, for a thread that may have to wait (1 descriptor).</summary>
    OpenDesk,

    /// <summary>
    /// Takes the socket programs and those that pass contexts on off the kernel. What they wrote can still be read.
    /// </summary>
    Detach,

    /// <summary>What a group of places has counted (<see cref="KeeperRequest.Number"/>: a <see cref="CounterGroup"/>).</summary>
    Counters,

    /// <summary>The capabilities of the keeper, read back from the kernel: one line of text.</summary>
    Describe,

    /// <summary>
    /// Where a link of /proc/PID leads (<see cref="KeeperRequest.Number"/>: a <see cref="ProcessLink"/>): text of at most 4,096 bytes.
    /// </summary>
    ReadLink,

    /// <summary>/proc/PID/maps, open for reading (1 descriptor).</summary>
    OpenMaps,

    /// <summary>The variables that name a service, of the environment that /proc/PID shows; no others leave the keeper.</summary>
    Variables,

    /// <summary>The same, as the kernel side saw them at execve.</summary>
    StartedWith,

    /// <summary>
    /// A descriptor that only names the executable of a process (O_PATH). The desk keeps another one, for the next three operations.
    /// </summary>
    NameExecutable,

    /// <summary>The executable that was named last at this desk, open for reading.</summary>
    OpenExecutable,

    /// <summary>
    /// Sets probes in the executable that was named last: <see cref="KeeperRequest.First"/> and, where it is not 0,
    /// <see cref="KeeperRequest.Second"/> are places in the file. <see cref="KeeperReply.Value"/> is their number. EPERM where the keeper
    /// itself runs code of that file.
    /// </summary>
    AttachGo,

    /// <summary>Takes the probes with this number (<see cref="KeeperRequest.First"/>) off.</summary>
    DetachGo,

    /// <summary>Where a Go program keeps its goroutines: a <see cref="Kernel.GoOffsets"/> follows.</summary>
    BeginGo,

    /// <summary>
    /// Whether a path in the root of a process leads to the file with device <see cref="KeeperRequest.First"/> and inode
    /// <see cref="KeeperRequest.Second"/>; only names that the kernel has in its cache are followed. 1 or 0.
    /// </summary>
    LeadsTo,

    /// <summary>
    /// The listening sockets of a process, or of all (0): an iterator to be read (1 descriptor), records are those of the ring of process
    /// events.
    /// </summary>
    ScanListeners,

    /// <summary>Has contexts passed on in a control group; its path below the mount follows. 1, or 0 where that is so already.</summary>
    IncludeGroup,

    /// <summary>
    /// What was loaded for network observability: <see cref="FlowFacts"/>, and 3 descriptors: a socket for the operations that follow, the
    /// ring of packets that found no room, the memory of <see cref="Flows.FlowExchange"/>. Once. ENODEV where it did not start.
    /// </summary>
    OpenFlows,

    /// <summary>Attaches to the interfaces that are wanted, and follows them from now on.</summary>
    FlowStart,

    /// <summary>Detaches from all interfaces for good.</summary>
    FlowDetach,

    /// <summary>Lets the other map count.</summary>
    FlowSwap,

    /// <summary>
    /// Writes the next flows to the shared memory (<see cref="KeeperRequest.Number"/>: <see cref="FlowBatch"/>). 1 where the map has more,
    /// else 0; <see cref="KeeperReply.Value"/> is how many.
    /// </summary>
    FlowRead,

    /// <summary>Writes the owners of the sockets of the first <see cref="KeeperRequest.Number"/> flows there.</summary>
    FlowOwners,

    /// <summary>Looks through all open sockets.</summary>
    FlowWalk,

    /// <summary>What the programs counted: <see cref="Flows.FlowCounters"/>.</summary>
    FlowCount,

    /// <summary>The way in that was taken, as text; <see cref="KeeperReply.Value"/> is the number of interfaces.</summary>
    FlowState,

    /// <summary>
    /// The content of a file that the configuration names, as the keeper read it at the start (1 descriptor);
    /// <see cref="KeeperRequest.Number"/> is its number in <see cref="Configuration.AgentConfiguration.NamedFiles"/>. ENOENT where there
    /// is none.
    /// </summary>
    NamedFile,

    /// <summary>
    /// What was loaded for TCP statistics: the ring of <see cref="Statistics.TcpStatistic"/> (1 descriptor) and its size in bytes
    /// (<see cref="KeeperReply.Value"/>). ENODEV where they did not start.
    /// </summary>
    OpenStatistics,

    /// <summary>
    /// Puts what is new of open connections into that ring; <see cref="KeeperRequest.Number"/> is 1 for the last time, else 0.
    /// <see cref="KeeperReply.Value"/> is how many records found no room in it so far.
    /// </summary>
    WalkStatistics,

    /// <summary>Follows no connection any more.</summary>
    DetachStatistics,

    /// <summary>
    /// The text of /proc/PID/io as it is, at most 4,096 bytes. ENODEV where the configuration measures no processes.
    /// </summary>
    ReadIo,

    /// <summary>
    /// How many entries /proc/PID/fd has (<see cref="KeeperReply.Value"/>); E2BIG beyond 65,536. ENODEV as before. Not asked where the
    /// kernel says it to everybody (Linux 6.2).
    /// </summary>
    CountFiles,
}

/// <summary>Places of the keeper that count, by where they stand in the pipeline.</summary>
public enum CounterGroup
{
    /// <summary>Names and the watcher: before the worker.</summary>
    Processes = 1,

    /// <summary>The socket programs.</summary>
    Sockets = 2,

    /// <summary>The programs of TCP statistics.</summary>
    Statistics = 3,
}

/// <summary>A question of the worker. <see cref="Length"/> bytes follow.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct KeeperRequest
{
    /// <summary>Most bytes that may follow: a path of Linux (PATH_MAX).</summary>
    public const int MaximumText = 4096;

    /// <summary>What is asked.</summary>
    public KeeperOperation Operation;

    /// <summary>Thread group id in the initial pid namespace; 0 where no process is meant.</summary>
    public int Pid;

    /// <summary>As the operation says.</summary>
    public long First;

    /// <summary>As the operation says.</summary>
    public long Second;

    /// <summary>As the operation says.</summary>
    public int Number;

    /// <summary>Bytes that follow.</summary>
    public uint Length;
}

/// <summary>The answer of the keeper. <see cref="Length"/> bytes follow.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct KeeperReply
{
    /// <summary>Most bytes that may follow: more than two variables of the largest size that is looked at (16 KiB).</summary>
    public const int MaximumText = 64 * 1024;

    /// <summary>0 or more: as the operation says; else the negative errno.</summary>
    public int Result;

    /// <summary>Bytes that follow.</summary>
    public uint Length;

    /// <summary>As the operation says.</summary>
    public long Value;

    /// <summary>File descriptors that come along.</summary>
    public int Descriptors;

    /// <summary>Zero.</summary>
    private readonly uint padding;
}

/// <summary>What was attached for application observability.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ApplicationFacts
{
    /// <summary>A <see cref="Configuration.SocketSourceKind"/>.</summary>
    public uint Source;

    /// <summary>Bytes of the ring of process events.</summary>
    public uint ProcessRing;

    /// <summary>Bytes of the ring of socket events.</summary>
    public uint SocketRing;

    /// <summary>Which of the parts that a kernel may refuse are there.</summary>
    public ApplicationParts Parts;
}

/// <summary>Parts of application observability that a kernel may refuse.</summary>
[Flags]
public enum ApplicationParts : uint
{
    /// <summary>None of them.</summary>
    None = 0,

    /// <summary>The kernel side keeps the names that processes were started with.</summary>
    Names = 1,

    /// <summary>Trace context is passed on in control groups.</summary>
    Passing = 2,

    /// <summary>Headers are written into requests of Go programs.</summary>
    GoHeaders = 4,
}

/// <summary>What was loaded for network observability.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlowFacts
{
    /// <summary>1: flows can name their process.</summary>
    public uint KnowsProcesses;

    /// <summary>The errno with which the kernel refused what that needs; 0 when it did not.</summary>
    public int ProcessRefusal;

    /// <summary>Bytes of the ring of packets that found no room.</summary>
    public uint OverflowRing;
}

/// <summary>How a batch of flows is read.</summary>
[Flags]
public enum FlowBatch
{
    /// <summary>On from the last batch, and they stay in the map.</summary>
    None = 0,

    /// <summary>They leave the map.</summary>
    Remove = 1,

    /// <summary>From the beginning of the map.</summary>
    First = 2,
}

/// <summary>A row of counters.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CounterRow
{
    /// <summary>Which place: an index in <see cref="CounterNames.Places"/>.</summary>
    public uint Place;

    /// <summary>What is counted: an index in <see cref="CounterNames.Units"/>.</summary>
    public uint Unit;

    /// <summary>As in <see cref="Counting.PlaceCounters"/>.</summary>
    public long Produced, Emitted, Aggregated, Filtered, Lost, Held;
}

/// <summary>What the keeper tells without being asked.</summary>
public enum KeeperNotice : uint
{
    /// <summary>Stop; the reason follows as text.</summary>
    Stop = 1,

    /// <summary>Write the counters.</summary>
    Report = 2,
}
