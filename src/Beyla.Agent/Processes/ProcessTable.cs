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

    private long entriesLost;

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
        if (servedPort == 0 || !needs.IsSelectedAlone(servedPort))
        {
            return;
        }

        if (entries.TryGetValue(pid, out var known))
        {
            // Right after execve it is asked what it listens on. Should that be nothing, it is wanted for this.
            known.ServedPort = known.IsAwaited ? (ushort)servedPort : known.ServedPort;
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

    private Outcome Exclude(int pid, long since)
    {
        if (!proc.TryStat(pid, out var stat))
        {
            Forget(pid);
            return Outcome.Filtered;
        }

        options.Go?.End(pid);
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

        if (entries.TryGetValue(entry.Pid, out var before))
        {
            End(before);
        }

        entries[entry.Pid] = entry;
        return Outcome.Aggregated;
    }

    private void Forget(int pid)
    {
        options.Go?.End(pid);
        kernel.Include(pid);
        kernel.Deselect(pid);
        if (entries.Remove(pid, out var entry))
        {
            End(entry);
        }
    }

    private void End(ProcessEntry entry)
    {
        if (entry.Info is { } info)
        {
            options.Ended?.Invoke(info);
        }
    }

    private void Bury(ProcessEntry entry)
    {
        options.Go?.End(entry.Pid);
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
        End(entry);
    }

    private void Release(int pid)
    {
        if (!IsAwaited(pid))
        {
            Judged?.Invoke(pid);
        }
    }

    /// <summary>
    /// Remembers who listens on the ports of a process. One that was passed a socket takes nobody's place: it is gone sooner than the
    /// listener.
    /// </summary>
    private void NoteServer(ProcessEntry entry)
    {
        foreach (var port in entry.Ports)
        {
            if (!entry.IsAdopted || !servers.TryGetValue(port, out var listener) || listener.State == ProcessState.Exited)
            {
                servers[port] = entry;
            }
        }
    }

    /// <summary>Who is known to listen on a port that a process serves.</summary>
    private ProcessEntry? ListenerOf(ProcessEntry entry) => entry.Ports.Select(port => servers.GetValueOrDefault(port))
        .FirstOrDefault(listener => listener is { IsIdentified: true } && listener != entry);

    private bool IsCurrent(ProcessEntry entry) => entries.GetValueOrDefault(entry.Pid) == entry;

    private bool IsAlive(int pid, long startTime) => proc.TryStat(pid, out var stat) && stat.StartTime == startTime;
}
