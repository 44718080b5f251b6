using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Keeper;

/// <summary>
/// What stands behind the desks of a keeper: the objects of the configuration that was fixed at the start. Any thread. Members throw
/// <see cref="KernelException"/> where the kernel refuses, and with <see cref="Errno.ENODEV"/> where the configuration has no such thing.
/// </summary>
public interface IKeeperHost
{
    /// <summary>As <see cref="KeeperOperation.Configuration"/>: one descriptor, or two where there is a configuration file.</summary>
    /// <param name="descriptors">Takes them; they stay the host's.</param>
    /// <returns>How many.</returns>
    int Configuration(Span<int> descriptors);

    /// <summary>As <see cref="KeeperOperation.NamedFile"/>.</summary>
    /// <param name="number">Any number; one that no file has is refused.</param>
    /// <returns>The descriptor, which stays the host's.</returns>
    int NamedFile(int number);

    /// <summary>As <see cref="KeeperOperation.Application"/>.</summary>
    /// <param name="descriptors">Takes the 6 descriptors; they stay the host's.</param>
    ApplicationFacts Application(Span<int> descriptors);

    /// <summary>As <see cref="KeeperOperation.OpenFlows"/>.</summary>
    /// <param name="descriptors">Takes the 3 descriptors; they stay the host's.</param>
    FlowFacts OpenFlows(Span<int> descriptors);

    /// <summary>As <see cref="KeeperOperation.OpenStatistics"/>.</summary>
    /// <param name="size">Bytes of the ring.</param>
    /// <returns>The descriptor, which stays the host's.</returns>
    int OpenStatistics(out uint size);

    /// <summary>As <see cref="KeeperOperation.WalkStatistics"/>.</summary>
    /// <param name="isLast">The worker ends.</param>
    /// <returns>Records that found no room.</returns>
    long WalkStatistics(bool isLast);

    /// <summary>As <see cref="KeeperOperation.DetachStatistics"/>.</summary>
    void DetachStatistics();

    /// <summary>Whether files of processes belong to what is configured.</summary>
    bool ReadsProcesses { get; }

    /// <summary>Whether what processes use belongs to it.</summary>
    bool MeasuresProcesses { get; }

    /// <summary>Begins to serve at a further socket; the other end of it, which the caller closes.</summary>
    MessageSocket OpenDesk();

    /// <summary>As <see cref="KeeperOperation.Detach"/>.</summary>
    void Detach();

    /// <summary>Most rows of a group.</summary>
    const int MaximumPlaces = 8;

    /// <summary>What a group of places has counted.</summary>
    /// <param name="group">Which.</param>
    /// <param name="places">Takes the rows; room for <see cref="MaximumPlaces"/>.</param>
    /// <returns>How many.</returns>
    int Count(CounterGroup group, Span<PlaceCounters> places);

    /// <summary>The capabilities, one line.</summary>
    string Describe();

    /// <summary>As <see cref="KeeperOperation.StartedWith"/>.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="target">Takes the variables; room for <see cref="StartedNames.MaximumText"/> bytes.</param>
    /// <returns>The bytes; -ENODATA where nothing is known.</returns>
    int StartedWith(int pid, Span<byte> target);

    /// <summary>An iterator over listening sockets; the caller closes it.</summary>
    int ScanListeners(int pid);

    /// <summary>Sets probes in a file of this descriptor; their number.</summary>
    long AttachGo(int file, long roundTrip, long writeBody);

    /// <summary>Takes probes off; a number that is not known is passed over.</summary>
    void DetachGo(long number);

    /// <summary>As <see cref="KeeperOperation.BeginGo"/>.</summary>
    void BeginGo(int pid, in GoOffsets offsets);

    /// <summary>As <see cref="KeeperOperation.IncludeGroup"/>; a path without dots that begins with a slash.</summary>
    bool IncludeGroup(ReadOnlySpan<byte> path);
}
