using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Processes;

/// <summary>
/// Who is traced and who they are. Events of the watcher keep it right; /proc is read once at <see cref="Start"/> and then only of a process
/// that an event is about. All members are for the one agent thread, except <see cref="Count"/>.
/// </summary>
public sealed partial class ProcessTable : IProcessLookup, IProcessEventSink, ICounted
{
    private enum Outcome
    {
        Aggregated, Filtered, Lost,
    }

    private readonly SelectionNeeds needs;
    private readonly Selection selection;
    private readonly ISelection kernel;
    private readonly IListenerScan listeners;
    private readonly ProcReader proc;
    private readonly ProcessInspector inspector;
    private readonly ProcessTableOptions options;
    private readonly Dictionary<int, ProcessEntry> entries = [];
    private readonly Queue<(ProcessEntry Entry, long Until)> exited = [];
    private readonly SecondLook secondLook = new();
    private readonly Reconciliation reconciliation;

    /// <summary>Who was last seen to listen on a port: answers for a child that served on it and was gone before it could be looked at.</summary>
    private readonly Dictionary<int, ProcessInfo> servers = [];

    private long aggregated, filtered, lost, entriesLost;

    /// <param name="selection">The rules.</param>
    /// <param name="kernel">Where the kernel side is told.</param>
    /// <param name="listeners">Finds listening sockets.</param>
    /// <param name="proc">Reads /proc.</param>
    /// <param name="options">Names and limits; null for the defaults.</param>
    public ProcessTable(Selection selection, ISelection kernel, IListenerScan listeners, ProcReader proc, ProcessTableOptions? options = null)
    {
        this.selection = selection;
        this.kernel = kernel;
        this.listeners = listeners;
        this.proc = proc;
        this.options = options ?? new ProcessTableOptions();
        needs = new SelectionNeeds(selection);
        inspector = new ProcessInspector(selection, needs, proc, this.options);
        reconciliation = new Reconciliation(proc.UserOf);
    }

    /// <summary>
    /// Whether exec events of processes that are not traced are wanted (<c>every_exec</c> of bpf/watcher.bpf.c): not where rules look at ports and pids alone.
    /// </summary>
    public bool NeedsEveryExec => needs.EveryExec;

    /// <summary>The processes that are traced at this moment.</summary>
    public IEnumerable<ProcessInfo> Selected =>
        entries.Values.Where(static entry => entry.State == ProcessState.Selected).Select(static entry => entry.Info!);

    /// <summary>
    /// Tells the kernel side which ports select, and looks once at all processes that run. Call it when the watcher is attached, before its events
    /// are read: what happens in between then comes as events that are older than what is known, or newer and right.
    /// </summary>
    public void Start()
    {
        kernel.Exclude(selection.OwnPid);
        entries[selection.OwnPid] = new ProcessEntry { Pid = selection.OwnPid, Since = options.Clock(), State = ProcessState.Excluded };
        foreach (var port in needs.PortsAlone())
            kernel.SelectPort(port);
        var ports = new ListeningPorts();
        if (needs.Ports)
            listeners.Scan(0, ports);
        // Where each rule asks for ports, a process that listens on nothing is not even opened.
        foreach (var pid in needs.WithoutPorts ? proc.Pids().Union(ports.Pids).ToArray() : [.. ports.Pids])
            if (pid != selection.OwnPid)
                Examine(pid, ports.Of(pid), "", options.Clock());
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
    }

    /// <summary>Forgets processes that ended a while ago, and looks again at those that had just begun. Call it a few times per second.</summary>
    /// <param name="now">CLOCK_MONOTONIC, ns.</param>
    public void OnTick(long now)
    {
        while (exited.TryPeek(out var oldest) && oldest.Until <= now)
        {
            exited.Dequeue();
            if (entries.TryGetValue(oldest.Entry.Pid, out var entry) && entry == oldest.Entry)
                entries.Remove(entry.Pid);
        }

        while (secondLook.TryTake(now, out var pid, out var since))
            LookAgain(pid, since);
        Reconcile(now);
    }

    /// <inheritdoc/>
    public ProcessInfo? Find(int pid, int servedPort)
    {
        if (entries.TryGetValue(pid, out var entry))
            return entry.Info;
        return needs.IsSelectedAlone(servedPort) ? Adopt(pid, servedPort) : null;
    }

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
        var from = entries.GetValueOrDefault(parent) ?? Examine(parent, PortsOf(parent), "", options.Clock());
        if (from is { State: ProcessState.Excluded })
            return Exclude(child, (long)e.Time);
        if (from?.Info is null)
        {
            Forget(child);
            return Outcome.Filtered;
        }

        // No look at /proc: a server that forks for each connection makes children that live for a millisecond.
        return Put(new ProcessEntry
        {
            Pid = child, Since = (long)e.Time, State = ProcessState.Selected, Info = from.Info with { Pid = child }, Ports = from.Ports,
        });
    }

    private Outcome OnExec(in ProcessEvent e, ProcessEntry? known)
    {
        var pid = (int)e.Pid;
        var wasKnown = e.Selected == ProcessSelection.Selected || known is not null;
        if (pid == selection.OwnPid || (!wasKnown && !needs.EveryExec))
            return Outcome.Filtered;
        // Another program: neither tracing nor exclusion is inherited from what ran before. Listening sockets may be.
        var ports = wasKnown ? PortsOf(pid) : [];
        if (!needs.WithoutPorts && ports.Length == 0)
        {
            Forget(pid);
            return Outcome.Aggregated;
        }

        var lostBefore = entriesLost;
        var entry = Examine(pid, ports, TextOf(e.Name), (long)e.Time);
        if (needs.LanguageAlone && entry is null)
            secondLook.Add(pid, (long)e.Time, options.Clock());
        return entriesLost != lostBefore ? Outcome.Lost : entry is not null || wasKnown ? Outcome.Aggregated : Outcome.Filtered;
    }

    private Outcome OnListen(in ProcessEvent e, ProcessEntry? known)
    {
        var pid = (int)e.Pid;
        switch (known?.State)
        {
            case ProcessState.Excluded:
                return Outcome.Filtered;
            case ProcessState.Selected:
                known.Ports = ListeningPorts.With(known.Ports, e.Port);
                if (needs.ExclusionPorts && inspector.IsExcluded(known.Info!, known.Ports))
                    return Exclude(pid, known.Since);
                servers[e.Port] = known.Info!;
                // By now the runtime is loaded, which it may not have been right after execve.
                LookAgain(pid, known.Since);
                return Outcome.Aggregated;
        }

        if (e.Selected != ProcessSelection.Selected && !needs.Mentions(e.Port))
        {
            if (e.Selected == ProcessSelection.Tentative)
                kernel.Deselect(pid);
            return Outcome.Filtered;
        }

        var ports = needs.ExclusionPorts || e.Selected == ProcessSelection.Selected ? PortsOf(pid) : [];
        var lostBefore = entriesLost;
        if (Examine(pid, ListeningPorts.With(ports, e.Port), "", (long)e.Time) is not null)
            return Outcome.Aggregated;
        return entriesLost != lostBefore ? Outcome.Lost : Outcome.Filtered;
    }

    private Outcome OnExit(ProcessEntry? known)
    {
        switch (known?.State)
        {
            case ProcessState.Selected:
                Bury(known);
                return Outcome.Aggregated;
            case ProcessState.Excluded:
                entries.Remove(known.Pid);
                return Outcome.Aggregated;
            default:
                return Outcome.Filtered;
        }
    }

    /// <summary>Judges a process and makes it so, here and in the kernel.</summary>
    /// <returns>Its entry; null when it is not to be traced and nothing forbids it.</returns>
    private ProcessEntry? Examine(int pid, ushort[] ports, string executed, long since)
    {
        switch (inspector.Judge(pid, ports, executed, out var info, out var startTime))
        {
            case Verdict.Selected:
                kernel.Include(pid);
                kernel.Select(pid);
                var entry = new ProcessEntry { Pid = pid, Since = since, State = ProcessState.Selected, Info = info, Ports = ports };
                if (Put(entry) == Outcome.Lost)
                    return null;
                // Of one that has just ended the spans are still to come, but its pid may be another's soon: nobody is told of an end that has been.
                if (!inspector.IsAlive(pid, startTime))
                {
                    kernel.Deselect(pid);
                    Bury(entry);
                }

                foreach (var port in ports)
                    servers[port] = info!;
                secondLook.Add(pid, since, options.Clock());
                options.Selected?.Invoke(info!);
                return entry;
            case Verdict.Excluded:
                foreach (var port in ports)
                    servers.Remove(port);
                return Exclude(pid, since) == Outcome.Aggregated ? entries.GetValueOrDefault(pid) : null;
        }

        Forget(pid);
        return null;
    }

    /// <summary>A process that serves a selected port though it never listened there: the socket was passed to it.</summary>
    private ProcessInfo? Adopt(int pid, int port)
    {
        var entry = Examine(pid, [(ushort)port], "", options.Clock());
        if (entry is not null)
            return entry.Info;
        if (proc.TryStat(pid, out _))
            return null;
        // Gone already. Whoever listens on the port passed it on, so it was of the same service.
        entry = new ProcessEntry
        {
            Pid = pid, Since = options.Clock(), State = ProcessState.Selected, Ports = [(ushort)port],
            Info = servers.TryGetValue(port, out var server) ? server with { Pid = pid } : null,
        };
        if (Put(entry) != Outcome.Lost)
            Bury(entry);
        return entry.Info;
    }

    private void LookAgain(int pid, long since)
    {
        if (!entries.TryGetValue(pid, out var entry))
        {
            if (needs.LanguageAlone)
                Examine(pid, [], "", since);
            return;
        }

        // Only what may yet load a runtime; a library never makes a Go program something else.
        if (entry is not { State: ProcessState.Selected, Info: { Language: ProcessLanguage.Generic or ProcessLanguage.Cpp } info } || entry.Since != since)
            return;
        var language = inspector.Language(info);
        if (language == info.Language)
            return;
        if (needs.Language)
            Examine(pid, entry.Ports, info.Executable, since);
        else
            entry.Info = info with { Language = language };
    }

    private Outcome Exclude(int pid, long since)
    {
        if (!proc.TryStat(pid, out var stat))
        {
            Forget(pid);
            return Outcome.Filtered;
        }

        kernel.Exclude(pid);
        if (inspector.IsAlive(pid, stat.StartTime))
            return Put(new ProcessEntry { Pid = pid, Since = since, State = ProcessState.Excluded });
        Forget(pid);
        return Outcome.Filtered;
    }

    private Outcome Put(ProcessEntry entry)
    {
        if (entries.Count >= options.MaximumProcesses && !entries.ContainsKey(entry.Pid) && !TryMakeRoom())
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

    private ushort[] PortsOf(int pid)
    {
        var ports = new ListeningPorts();
        if (needs.Ports)
            listeners.Scan(pid, ports);
        return ports.Of(pid);
    }

    private static string TextOf(in ProcessEvent.PathName name)
    {
        ReadOnlySpan<byte> bytes = name;
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
