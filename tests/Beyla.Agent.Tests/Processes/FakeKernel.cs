using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Tests.Processes;

/// <summary>The kernel side in memory: the bits of the selection, and who holds which listening socket.</summary>
internal sealed class FakeKernel : ISelection, IListenerScan
{
    public HashSet<int> Pids { get; } = [];

    public HashSet<int> Excluded { get; } = [];

    public HashSet<int> Ports { get; } = [];

    public List<(int Pid, ushort Port)> Listeners { get; } = [];

    public uint Lost { get; set; }

    /// <summary>What was asked of the scan.</summary>
    public List<int> Scans { get; } = [];

    /// <summary>Called when a process is selected, before the caller goes on.</summary>
    public Action<int>? OnSelect { get; set; }

    public void Select(int pid)
    {
        Pids.Add(pid);
        OnSelect?.Invoke(pid);
    }

    /// <summary>Selected by an event that is yet to be read.</summary>
    public HashSet<int> Renewed { get; } = [];

    public void Deselect(int pid)
    {
        if (!Renewed.Contains(pid))
        {
            Pids.Remove(pid);
        }
    }

    public void Heard(int pid, ulong time) => Renewed.Remove(pid);

    public void Include(int pid) => Excluded.Remove(pid);

    public void Exclude(int pid)
    {
        Deselect(pid);
        Excluded.Add(pid);
    }

    public void SelectPort(int port) => Ports.Add(port);

    public bool IsSelected(int pid) => Pids.Contains(pid);

    public void Scan(int pid, IProcessEventSink sink)
    {
        Scans.Add(pid);
        foreach (var (holder, port) in Listeners)
        {
            if (pid != 0 && pid != holder)
            {
                continue;
            }

            var listening = new ProcessEvent { Kind = ProcessEventKind.Listening, Pid = (uint)holder, Port = port };
            sink.OnProcessEvent(listening);
        }
    }
}
