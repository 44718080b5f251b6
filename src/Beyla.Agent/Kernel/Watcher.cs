using System.Runtime.InteropServices;
using Beyla.Agent.Counting;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// The watcher programs (bpf/watcher.bpf.c): processes that start, run another program and end, sockets that begin to
/// listen. Owns the selection.
/// </summary>
public sealed class Watcher : IDisposable
{
    private static readonly string[] Attached = ["on_fork", "on_exec", "on_exit", "on_listen"];

    private readonly BpfObject programs;
    private readonly BpfMap counters;
    private readonly BpfProgram[] counted;
    private readonly List<BpfLink> links = [];

    private Watcher(BpfObject programs)
    {
        this.programs = programs;
        Selection = new SelectionMap(programs.Map(SelectionMap.Name));
        Listeners = new ListenerScan(programs.Program("listeners"));
        counters = programs.Map("process_events_counters");
        // What is left out below an interrupt is a change of state that tells nothing: only a process calls listen(2).
        counted = [.. Attached.Except(["on_listen"]).Select(programs.Program)];
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

    /// <summary>What its programs counted. Takes no memory; any thread.</summary>
    /// <param name="places">Takes the rows: two at most.</param>
    /// <returns>How many rows.</returns>
    public int Count(Span<PlaceCounters> places)
    {
        var c = RingCounters.Read(counters);
        places[0] = new PlaceCounters("watcher", "events", (long)c.Produced, Emitted: (long)c.Emitted, Lost: (long)c.Lost);
        return 1 + RingCounters.Missed("watcher", counted, places[1..]);
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
