using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Processes;

/// <summary>
/// Finds the processes that hold listening TCP sockets, in all network and pid namespaces. Needs no access to /proc/PID/fd
/// (bpf/watcher.bpf.c, program <c>listeners</c>).
/// </summary>
public interface IListenerScan
{
    /// <summary>Calls <paramref name="sink"/> once for each socket and holder, before it returns.</summary>
    /// <param name="pid">The process to look at; 0 for all.</param>
    /// <param name="sink">Takes events of kind <see cref="ProcessEventKind.Listening"/>.</param>
    /// <exception cref="KernelException">The kernel refused the scan.</exception>
    void Scan(int pid, IProcessEventSink sink);
}

/// <summary>Gathers what a scan finds: the ports by process.</summary>
internal sealed class ScannedPorts : IProcessEventSink
{
    private readonly Dictionary<int, ushort[]> ports = [];

    /// <summary>The processes that listen.</summary>
    public ICollection<int> Pids => ports.Keys;

    /// <summary>The ports of a process, each once; empty where it listens on none.</summary>
    public ushort[] Of(int pid) => ports.GetValueOrDefault(pid, []);

    /// <inheritdoc/>
    public void OnProcessEvent(in ProcessEvent e) => ports[(int)e.Pid] = With(Of((int)e.Pid), e.Port);

    /// <summary>The ports and one more; the array itself where it is among them.</summary>
    public static ushort[] With(ushort[] ports, ushort port) => ports.Contains(port) ? ports : [.. ports, port];
}
