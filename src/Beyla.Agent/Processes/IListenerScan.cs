using Beyla.Agent.Kernel;

namespace Beyla.Agent.Processes;

/// <summary>Takes an event of the watcher.</summary>
public delegate void ProcessEventHandler(in ProcessEvent processEvent);

/// <summary>
/// Finds the processes that hold listening TCP sockets, in all network and pid namespaces. Needs no access to /proc/PID/fd
/// (bpf/watcher.bpf.c, program <c>listeners</c>).
/// </summary>
public interface IListenerScan
{
    /// <summary>Calls <paramref name="found"/> once for each socket and holder, before it returns.</summary>
    /// <param name="pid">The process to look at; 0 for all.</param>
    /// <param name="found">Takes events of kind <see cref="ProcessEventKind.Listening"/>.</param>
    void Scan(int pid, ProcessEventHandler found);
}
