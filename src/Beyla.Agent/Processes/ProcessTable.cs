using System.Text;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Processes;

/// <summary>
/// Who is traced and who they are. Events of the watcher keep it right; /proc is read once at <see cref="Start"/> and then
/// only of a process that an event is about. What can wait is read aside: until then the kernel side traces the process,
/// and its spans wait (ProcessTable.Looks.cs). All members are for the one agent thread, except <see cref="Count"/>.
/// </summary>
public sealed partial class ProcessTable : IProcessLookup, IProcessEventSink, ICounted
{
    private enum Outcome
    {
        Aggregated, Filtered, Lost,
    }

    private readonly SelectionNeeds needs;
    private readonly SelectionRules selection;
    private readonly ISelection kernel;
    private readonly IListenerScan listeners;
    private readonly ProcReader proc;
    private readonly IInspections aside;
    private readonly ProcessJudge judge;
    private readonly HiddenNames hidden;
    private readonly ProcessTableOptions options;
    private readonly Dictionary<int, ProcessEntry> entries = [];
    private readonly Queue<(ProcessEntry Entry, long Until)> exited = [];
    private readonly SecondLook secondLook = new();
    private readonly Reconciliation reconciliation;

    /// <summary>
    /// Who was last seen to listen on a port: answers for a child that served on it and was gone before it could be looked at.
    /// </summary>
    private readonly Dictionary<int, ProcessEntry> servers = [];

    private long aggregated, filtered, lost, entriesLost;

    /// <param name="selection">The rules.</param>
    /// <param name="kernel">Where the kernel side is told.</param>
    /// <param name="listeners">Finds listening sockets.</param>
    /// <param name="proc">Reads what the kernel alone knows.</param>
    /// <param name="aside">Reads the rest.</param>
    /// <param name="options">Names and limits; null for the defaults.</param>
    public ProcessTable(
        SelectionRules selection, ISelection kernel, IListenerScan listeners, ProcReader proc, IInspections aside,
        ProcessTableOptions? options = null)
    {
        this.selection = selection;
        this.kernel = kernel;
        this.listeners = listeners;
        this.proc = proc;
        this.aside = aside;
        this.options = options ?? new ProcessTableOptions();
        needs = new SelectionNeeds(selection);
        judge = new ProcessJudge(selection, needs, proc, this.options);
        hidden = new HiddenNames(proc, this.options);
        reconciliation = new Reconciliation(proc.UserOf);
    }

    /// <summary>The processes that are traced at this moment.</summary>
    public IEnumerable<ProcessInfo> Selected =>
        entries.Values.Where(static entry => entry.State == ProcessState.Selected).Select(static entry => entry.Info!);

    /// <summary>
    /// Called for each process that is no longer waited for, or is not in the table: its spans that wait can be handed on.
    /// </summary>
    public Action<int>? Judged { get; set; }

    /// <summary>
    /// Tells the kernel side which ports select, and looks once at all processes that run. Call it when the watcher is attached,
    /// before its events are read: what happens in between then comes as events that are older than what is known, or newer and right.
    /// </summary>
    /// <param name="limit">How long to wait for what is read aside; what comes later is taken as it comes. Null for a second.</param>
    public void Start(TimeSpan? limit = null)
    {
        kernel.Exclude(selection.OwnPid);
        entries[selection.OwnPid] = new ProcessEntry { Pid = selection.OwnPid, Since = options.Clock(), State = ProcessState.Excluded };
        foreach (var port in needs.PortsAlone())
        {
            kernel.SelectPort(port);
        }

        var ports = new ScannedPorts();
        if (needs.Ports)
        {
            listeners.Scan(0, ports);
        }
        // Where each rule asks for ports, a process that listens on nothing is not even opened.
        foreach (var pid in needs.WithoutPorts ? proc.Pids().Union(ports.Pids).ToArray() : [.. ports.Pids])
        {
            if (pid != selection.OwnPid)
            {
                Examine(pid, ports.Of(pid), "", options.Clock());
            }
        }

        Settle(limit ?? TimeSpan.FromSeconds(1), static () => false);
        options.Services?.Publish(entries);
    }

    /// <summary>Takes an event of the watcher.</summary>
    public void OnProcessEvent(in ProcessEvent e)
    {
        var known = entries.GetValueOrDefault((int)e.Pid);
        // Events of several processors may arrive out of order, and a pid may belong to another process by now.
        var outcome = known is not null && known.Since > (long)e.Time ? Outcome.Filtered : e.Kind switch
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

    /// <summary>
    /// Forgets processes that ended a while ago, and looks again at those that had just begun. Call it a few times per second.
    /// </summary>
    /// <param name="now">CLOCK_MONOTONIC, ns.</param>
    public void OnTick(long now)
    {
        while (exited.TryPeek(out var oldest) && oldest.Until <= now)
        {
            ForgetOldest();
        }

        budget.OnTick(now);
        while (secondLook.TryTake(now, out var pid, out var since))
        {
            LookAgain(pid, since);
        }

        Reconcile(now);
        SubmitDeferred();
        TakeResults();
        options.Services?.Publish(entries);
    }

    /// <inheritdoc/>
    public void Open(int pid, int servedPort)
    {
        if (servedPort == 0 || !needs.IsSelectedAlone(servedPort) || entries.ContainsKey(pid))
        {
            return;
        }

        Adopt(pid, servedPort);
        Release(pid);
    }

    /// <inheritdoc/>
    public ProcessInfo? Find(int pid) => entries.TryGetValue(pid, out var entry) && !entry.IsAwaited ? entry.Info : null;

    /// <inheritdoc/>
    public bool IsAwaited(int pid) => entries.TryGetValue(pid, out var entry) && entry.IsAwaited;

    /// <inheritdoc/>
    public ProcessInfo? Guess(int pid) => entries.GetValueOrDefault(pid)?.Info;

    /// <summary>Events of the watcher: those that changed the table, those that did not matter, those for which it had no room.</summary>
    public IEnumerable<PlaceCounters> Count()
    {
        var (into, without, dropped) = (Interlocked.Read(ref aggregated), Interlocked.Read(ref filtered), Interlocked.Read(ref lost));
        yield return new PlaceCounters("processes", "events", into + without + dropped, Aggregated: into, Filtered: without, Lost: dropped);
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
                return Outcome.Filtered;
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

    private Outcome Exclude(int pid, long since)
    {
        if (!proc.TryStat(pid, out var stat))
        {
            Forget(pid);
            return Outcome.Filtered;
        }

        kernel.Exclude(pid);
        if (IsAlive(pid, stat.StartTime))
        {
            return Put(new ProcessEntry { Pid = pid, Since = since, State = ProcessState.Excluded });
        }

        Forget(pid);
        return Outcome.Filtered;
    }

    private Outcome Put(ProcessEntry entry)
    {
        // Those that are gone make room before anybody is refused.
        while (entries.Count >= options.MaximumProcesses && !entries.ContainsKey(entry.Pid) && exited.Count > 0)
        {
            ForgetOldest();
        }

        if (entries.Count >= options.MaximumProcesses && !entries.ContainsKey(entry.Pid))
        {
            kernel.Deselect(entry.Pid);
            entriesLost++;
            return Outcome.Lost;
        }

        entries[entry.Pid] = entry;
        return Outcome.Aggregated;
    }

    private void Forget(int pid)
    {
        kernel.Include(pid);
        kernel.Deselect(pid);
        entries.Remove(pid);
    }

    private void Bury(ProcessEntry entry)
    {
        entry.State = ProcessState.Exited;
        exited.Enqueue((entry, options.Clock() + (long)(options.Remember.TotalMilliseconds * 1e6)));
    }

    private void ForgetOldest()
    {
        var (entry, _) = exited.Dequeue();
        if (!IsCurrent(entry))
        {
            return;
        }

        entries.Remove(entry.Pid);
        Release(entry.Pid);
    }

    private void Release(int pid)
    {
        if (!IsAwaited(pid))
        {
            Judged?.Invoke(pid);
        }
    }

    private bool IsCurrent(ProcessEntry entry) => entries.GetValueOrDefault(entry.Pid) == entry;

    private bool IsAlive(int pid, long startTime) => proc.TryStat(pid, out var stat) && stat.StartTime == startTime;

    private static string TextOf(in ProcessEvent.PathName name)
    {
        ReadOnlySpan<byte> bytes = name;
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
