namespace Beyla.Agent.Processes;

/// <summary>What the table does when events were lost: it compares what it knows with what runs.</summary>
public sealed partial class ProcessTable
{
    /// <summary>Who listened on what when the round began.</summary>
    private ScannedPorts listening = new();

    private void Reconcile(long now)
    {
        if (reconciliation.IsDue(kernel.Lost, now, out var lost))
        {
            options.LostEvents?.Invoke(lost);
            listening = new ScannedPorts();
            if (needs.Ports)
            {
                listeners.Scan(0, listening);
            }

            reconciliation.Begin(kernel.Lost, now, Suspects());
        }

        if (!reconciliation.IsRunning)
        {
            return;
        }

        foreach (var pid in reconciliation.Take(options.Clock))
        {
            Compare(pid, listening.Of(pid));
        }
    }

    /// <summary>Those of whom an event may be missing: as at the start, and whoever is known or traced.</summary>
    private IEnumerable<int> Suspects()
    {
        var known = entries.Keys.ToArray();
        foreach (var pid in known)
        {
            yield return pid;
        }

        foreach (var pid in proc.Pids())
        {
            if (!entries.ContainsKey(pid) && (needs.WithoutPorts || listening.Of(pid).Length > 0 || kernel.IsSelected(pid)))
            {
                yield return pid;
            }
        }
    }

    private void Compare(int pid, ushort[] ports)
    {
        var now = options.Clock();
        if (pid == selection.OwnPid)
        {
            return;
        }

        if (!proc.TryStat(pid, out var stat))
        {
            // Its end was lost. The kernel side has forgotten the pid by itself, and may speak of another process of that pid by now.
            if (entries.TryGetValue(pid, out var ended))
            {
                OnExit(ended);
            }

            return;
        }

        var entry = entries.GetValueOrDefault(pid);
        if (entry is { State: ProcessState.Selected or ProcessState.Pending } && IsSame(entry, stat.StartTime))
        {
            Refresh(entry, ports);
        }
        else if (entry is null && Inherited(pid, stat.Parent, now) is { } child)
        {
            Put(child);
        }
        else
        {
            Examine(pid, ports, "", now);
        }

        Release(pid);
    }

    /// <summary>
    /// Another program shows by its path, where that can be read; another process of that pid by the bit, which went with the one before.
    /// </summary>
    private bool IsSame(ProcessEntry entry, long startTime) =>
        kernel.IsSelected(entry.Pid) && (entry.StartTime == 0 || entry.StartTime == startTime) && (Runs(entry.Pid, entry) ?? true);

    /// <summary>Whether a process runs the executable of an entry; null where its link may not be read.</summary>
    private bool? Runs(int pid, ProcessEntry entry) => proc.ExecutableLink(pid) is not { Length: > 0 } link ? null
        : link == entry.Link || link == entry.Executable || ProcReader.WithoutDeletedMark(link) == entry.Executable;

    /// <summary>Takes in what it has begun to listen on.</summary>
    private void Refresh(ProcessEntry entry, ushort[] ports)
    {
        foreach (var port in ports)
        {
            entry.Ports = ScannedPorts.With(entry.Ports, port);
            servers[port] = entry;
        }

        if (entry.State == ProcessState.Selected && needs.ExclusionPorts && ports.Length > 0 && judge.IsExcluded(FactsOf(entry)))
        {
            Exclude(entry.Pid, entry.Since);
        }
        else if (entry.State == ProcessState.Pending && ports.Length > 0)
        {
            entry.Again = true;
        }
    }

    /// <summary>A child that the kernel side traces since it was forked by a traced process, though its event was lost.</summary>
    private ProcessEntry? Inherited(int pid, int parent, long now)
    {
        if (!kernel.IsSelected(pid)
            || entries.GetValueOrDefault(parent) is not { State: ProcessState.Selected or ProcessState.Pending } from)
        {
            return null;
        }

        return Runs(pid, from) == true ? ChildOf(from, pid, now) : null;
    }
}
