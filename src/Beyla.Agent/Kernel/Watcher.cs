using System.Runtime.InteropServices;
using Beyla.Agent.Counting;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// The watcher programs (bpf/watcher.bpf.c): processes that start, run another program and end, sockets that begin to
/// listen. Owns the selection.
/// </summary>
public sealed class Watcher : IDisposable, ICounted
{
    private static readonly string[] Attached = ["on_fork", "on_exec", "on_exit", "on_listen"];

    private readonly BpfObject programs;
    private readonly List<BpfLink> links = [];

    private Watcher(BpfObject programs)
    {
        this.programs = programs;
        Selection = new SelectionMap(programs.Map(SelectionMap.Name));
        Listeners = new ListenerScan(programs.Program("listeners"));
    }

    /// <summary>Who is traced.</summary>
    public SelectionMap Selection { get; }

    /// <summary>Who listens on what.</summary>
    public ListenerScan Listeners { get; }

    /// <summary>The ring buffer map.</summary>
    public BpfMap Ring => programs.Map("process_events");

    /// <summary>Loads and attaches.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static Watcher Open(WatcherNeeds needs)
    {
        var programs = BpfObject.Open("watcher");
        try
        {
            programs.SetConstants(new Settings(needs));
            programs.Select([.. Attached, "listeners"]).Load();
        }
        catch
        {
            programs.Dispose();
            throw;
        }

        var watcher = new Watcher(programs);
        try
        {
            foreach (var name in Attached)
            {
                watcher.links.Add(programs.Program(name).Attach());
            }

            return watcher;
        }
        catch
        {
            watcher.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        var c = RingCounters.Read(programs.Map("process_events_counters"));
        PlaceCounters events = new("watcher", "events", (long)c.Produced, Emitted: (long)c.Emitted, Lost: (long)c.Lost);
        // What is left out below an interrupt is a change of state that tells nothing: only a process calls listen(2).
        return [events, .. RingCounters.Missed("watcher", Attached.Except(["on_listen"]).Select(programs.Program))];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var link in links)
        {
            link.Dispose();
        }

        Selection.Dispose();
        programs.Dispose();
    }

    /// <summary>struct watcher_settings.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct Settings
    {
        /// <summary>1: <see cref="WatcherNeeds.EveryExec"/>.</summary>
        public uint EveryExec;

        /// <summary>1: <see cref="WatcherNeeds.JudgeListeners"/>.</summary>
        public uint JudgeListeners;

        /// <summary>One bit for each port that some rule or exclusion names.</summary>
        public fixed ulong Mentioned[65536 / 64];

        /// <summary>The constants for what the rules want to hear of.</summary>
        public Settings(WatcherNeeds needs)
        {
            EveryExec = needs.EveryExec ? 1u : 0u;
            JudgeListeners = needs.JudgeListeners ? 1u : 0u;
            foreach (var port in needs.Ports)
            {
                Mentioned[port / 64] |= 1UL << (port % 64);
            }
        }
    }
}

/// <summary>What the rules want to hear of.</summary>
public sealed record WatcherNeeds
{
    /// <summary>Every process that runs a program; false when the rules ask only for ports and process ids.</summary>
    public bool EveryExec { get; init; }

    /// <summary>
    /// Trace every process that begins to listen on one of <see cref="Ports"/> until its event is judged; false when
    /// the kernel side can tell by the port.
    /// </summary>
    public bool JudgeListeners { get; init; }

    /// <summary>Ports that some rule names. Who listens on others is told only of a process that is traced.</summary>
    public IEnumerable<int> Ports { get; init; } = [];
}
