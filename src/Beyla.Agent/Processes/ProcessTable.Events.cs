using System.Text;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Processes;

// What the events of the watcher change, one after the other: a process begins, runs another program, listens, ends.
public sealed partial class ProcessTable
{
    private long aggregated, filtered, lost;

    /// <summary>Takes an event of the watcher.</summary>
    public void OnProcessEvent(in ProcessEvent e)
    {
        kernel.Heard((int)e.Pid, e.Time);
        var known = entries.GetValueOrDefault((int)e.Pid);
        // Events of several processors may arrive out of order, and a pid may belong to another process by now.
        var outcome = known is not null && known.Since > (long)e.Time ? Ignore(known) : e.Kind switch
        {
            ProcessEventKind.Fork => OnFork(e),
            ProcessEventKind.Exec => OnExec(e, known),
            ProcessEventKind.Exit => OnExit(known),
            ProcessEventKind.Listen or ProcessEventKind.Listening => OnListen(e, known),
            _ => Outcome.Filtered,
        };
        Interlocked.Increment(ref outcome == Outcome.Aggregated ? ref aggregated : ref outcome == Outcome.Lost ? ref lost : ref filtered);
        Release((int)e.Pid);
    }

    /// <summary>Events of the watcher: those that changed the table, those that did not matter, those for which it had no room.</summary>
    public IEnumerable<PlaceCounters> Count()
    {
        var (into, without, dropped) = (Interlocked.Read(ref aggregated), Interlocked.Read(ref filtered), Interlocked.Read(ref lost));
        yield return new PlaceCounters("processes", "events", into + without + dropped, Aggregated: into, Filtered: without, Lost: dropped);
    }

    /// <summary>
    /// An event that says nothing new. What it selected stayed selected until it was read, also where that was known to be wrong.
    /// </summary>
    private Outcome Ignore(ProcessEntry known)
    {
        if (known.State is ProcessState.Excluded or ProcessState.Exited)
        {
            kernel.Deselect(known.Pid);
        }

        return Outcome.Filtered;
    }

    private Outcome OnFork(in ProcessEvent e)
    {
        var (child, parent) = ((int)e.Pid, (int)e.Parent);
        // The kernel side traces a parent that is not known here only when the event that selected it was lost.
        var from = entries.GetValueOrDefault(parent) ?? Examine(parent, [], "", options.Clock(), scan: needs.Ports);
        if (from is { State: ProcessState.Excluded })
        {
            return Exclude(child, (long)e.Time);
        }

        if (from is null || (from.Info is null && !from.IsUndecided))
        {
            Forget(child);
            return Outcome.Filtered;
        }

        // No look at /proc: a server that forks for each connection makes children that live for a millisecond.
        return Put(ChildOf(from, child, (long)e.Time));
    }

    private static ProcessEntry ChildOf(ProcessEntry from, int pid, long since)
    {
        var entry = new ProcessEntry
        {
            Pid = pid, Since = since, State = from.IsUndecided ? ProcessState.Pending : ProcessState.Selected, Ports = from.Ports,
        };
        entry.Inherit(from);
        Await(entry, from);
        return entry;
    }

    private Outcome OnExec(in ProcessEvent e, ProcessEntry? known)
    {
        var pid = (int)e.Pid;
        var wasKnown = e.Selected == ProcessSelection.Selected || known is not null;
        if (pid == selection.OwnPid || (!wasKnown && !needs.EveryExec))
        {
            return Outcome.Filtered;
        }

        options.Go?.End(pid);
        // Another program: neither tracing nor exclusion is inherited from what ran before. Listening sockets may be.
        var scan = wasKnown && needs.Ports;
        var lostBefore = entriesLost;
        var entry = Examine(pid, [], TextOf(e.Name), (long)e.Time, scan, isFresh: true);
        return entriesLost != lostBefore ? Outcome.Lost : entry is not null || wasKnown ? Outcome.Aggregated : Outcome.Filtered;
    }

    private Outcome OnListen(in ProcessEvent e, ProcessEntry? known)
    {
        var pid = (int)e.Pid;
        switch (known?.State)
        {
            case ProcessState.Excluded:
                return Ignore(known);
            case ProcessState.Pending:
                known.Ports = ScannedPorts.With(known.Ports, e.Port);
                known.Again = true;
                return Outcome.Aggregated;
            case ProcessState.Selected when known.Ports.Contains(e.Port):
                return Outcome.Aggregated;
            case ProcessState.Selected:
                known.Ports = ScannedPorts.With(known.Ports, e.Port);
                if (needs.ExclusionPorts && judge.IsExcluded(FactsOf(known)))
                {
                    return Exclude(pid, known.Since);
                }

                servers[e.Port] = known;
                // By now the runtime is loaded, which it may not have been right after execve.
                if (MayChange(known))
                {
                    Look(known, InspectionParts.Language, waits: true);
                }

                return Outcome.Aggregated;
        }

        if (e.Selected != ProcessSelection.Selected && !needs.Mentions(e.Port))
        {
            if (e.Selected == ProcessSelection.Tentative)
            {
                kernel.Deselect(pid);
            }

            return Outcome.Filtered;
        }

        var scan = needs.Ports && (needs.ExclusionPorts || e.Selected == ProcessSelection.Selected);
        var lostBefore = entriesLost;
        if (Examine(pid, [e.Port], "", (long)e.Time, scan) is not null)
        {
            return Outcome.Aggregated;
        }

        return entriesLost != lostBefore ? Outcome.Lost : Outcome.Filtered;
    }

    private Outcome OnExit(ProcessEntry? known)
    {
        switch (known?.State)
        {
            case ProcessState.Selected or ProcessState.Pending:
                Bury(known);
                return Outcome.Aggregated;
            case ProcessState.Excluded:
                entries.Remove(known.Pid);
                return Outcome.Aggregated;
            default:
                return Outcome.Filtered;
        }
    }

    private static string TextOf(in ProcessEvent.PathName name)
    {
        ReadOnlySpan<byte> bytes = name;
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
