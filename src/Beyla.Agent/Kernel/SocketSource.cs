using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>The socket programs, loaded and attached over the best attach points that this kernel takes.</summary>
public sealed class SocketSource : IDisposable
{
    // bpf/include/wire.h, propagates.
    private const uint PropagatesNothing = 0, PropagatesAll = 1, PropagatesGo = 2;

    private static readonly string[] Ends = ["on_state", "on_destroy"];

    /// <summary>The ladder. The kernel is asked by loading, never by its version: distributions backport and forbid.</summary>
    private static readonly (SocketSourceKind Kind, string Object, string[] Programs)[] Rungs =
    [
        (SocketSourceKind.Tracepoints, "sockets", ["on_send_tracepoint", "on_sent_with_syn", "on_receive_tracepoint"]),
        (SocketSourceKind.Fentry, "sockets", ["on_send_function", "on_sent", "on_receive_tracepoint"]),
        (SocketSourceKind.Fentry, "sockets_old", ["on_send_function", "on_send_return", "on_sendpage", "on_receive_function"]),
        (SocketSourceKind.Fentry, "sockets_old", ["on_send_function", "on_send_return", "on_receive_function"]),
        (SocketSourceKind.Syscalls, "sockets_old", ["on_syscall_exit"]),
    ];

    private readonly BpfObject programs;
    private readonly BpfMap counters;
    private readonly BpfProgram[] counted;
    private readonly List<BpfLink> links = [];
    private VerdictMap? verdicts;
    private PassedMap? passed;
    private ThreadRuleMap? threadRules;

    private SocketSource(SocketSourceKind kind, BpfObject programs, IEnumerable<string> names, uint ringSize)
    {
        Kind = kind;
        this.programs = programs;
        Programs = [.. names];
        RingSize = ringSize;
        counters = programs.Map("socket_events_counters");
        // An end that one of the two programs did not see is seen by the other, or when the next connection begins: only bytes can be lost
        // so.
        counted = [.. Programs.Except(Ends).Select(programs.Program)];
    }

    /// <summary>The rung that was taken.</summary>
    public SocketSourceKind Kind { get; }

    /// <summary>The attached programs, by function name.</summary>
    public IReadOnlyList<string> Programs { get; }

    /// <summary>Bytes of the ring.</summary>
    public uint RingSize { get; }

    /// <summary>What is said to the protocols of connections.</summary>
    public VerdictMap Verdicts => verdicts ??= new VerdictMap(programs.Map("verdicts"));

    /// <summary>What was sent without an event.</summary>
    public PassedMap Passed => passed ??= new PassedMap(programs.Map("passed"));

    /// <summary>Offsets of Go programs by process (<see cref="GoOffsets"/>).</summary>
    public BpfMap GoProcesses => programs.Map("go_processes");

    /// <summary>Requests of Go programs that are handed to a connection and not sent yet.</summary>
    internal BpfMap GoCalls => programs.Map("go_calls");

    /// <summary>Which processes' calls are not told by their threads.</summary>
    public ThreadRuleMap ThreadRules => threadRules ??= new ThreadRuleMap(programs.Map("thread_rules"));

    /// <summary>The ring buffer map.</summary>
    public BpfMap Ring => programs.Map("socket_events");

    /// <summary>
    /// Descriptors of the maps behind <see cref="Verdicts"/>, <see cref="Passed"/> and <see cref="ThreadRules"/>, which another process
    /// maps.
    /// </summary>
    public (int Verdicts, int Passed, int ThreadRules) Descriptors =>
        (programs.Map("verdicts").FileDescriptor, programs.Map("passed").FileDescriptor, programs.Map("thread_rules").FileDescriptor);

    /// <summary>Has programs that pass contexts on, and are not loaded yet, use the same maps and constants.</summary>
    /// <param name="others">Opened, and not loaded.</param>
    internal void ShareContexts(BpfObject others)
    {
        foreach (var name in (ReadOnlySpan<string>)
            ["wires", "works", "serving", "thread_rules", "stashes", "go_processes", "go_calls"])
        {
            others.Map(name).ShareFrom(programs.Map(name));
        }

        others.SetConstants(".rodata.slack", GoroutineNumbers.Slack);
    }

    /// <summary>
    /// Loads and attaches. Events begin when <see cref="SelectionMap.Capture"/> opens the gate.
    /// </summary>
    /// <param name="wanted">A rung, or Auto.</param>
    /// <param name="selection">Shared with the watcher.</param>
    /// <param name="ringSize">Bytes, a power of two.</param>
    /// <param name="detectsSql">Connections that are not recognised are captured on, so that statements can be looked for on them.</param>
    /// <param name="propagation">Unless disabled, messages get a trace context on this side, and events tell it.</param>
    /// <param name="refused">Called for each rung that the kernel did not take, with the reason.</param>
    /// <param name="settlesContexts">The same of what goroutines send, for <see cref="GoWritePrograms"/>, where nothing else is.</param>
    /// <exception cref="KernelException">No wanted rung works; the reason of the last one.</exception>
    public static SocketSource Open(
        SocketSourceKind wanted, SelectionMap selection, uint ringSize, bool detectsSql, ContextPropagation propagation,
        Action<SocketSourceKind, KernelException> refused, bool settlesContexts = false)
    {
        KernelException? last = null;
        foreach (var (kind, file, names) in Rungs)
        {
            if (wanted != SocketSourceKind.Auto && wanted != kind)
            {
                continue;
            }

            try
            {
                return Open(
                    kind, file, [.. names, .. Pushed(names, propagation), .. Ends],
                    selection, ringSize, detectsSql, propagation, settlesContexts);
            }
            catch (KernelException exception)
            {
                last = exception;
                refused(kind, exception);
            }
        }

        throw last ?? throw new ArgumentOutOfRangeException(nameof(wanted), wanted, "no such socket source");
    }

    /// <summary>What its programs counted. Takes no memory; any thread.</summary>
    /// <param name="places">Takes the rows: three at most.</param>
    /// <returns>How many rows.</returns>
    public int Count(Span<PlaceCounters> places)
    {
        var c = RingCounters.Read(counters);
        var count = 0;
        places[count++] = new PlaceCounters("sockets", "events", (long)c.Produced, Emitted: (long)c.Emitted, Lost: (long)c.Lost);
        if (c.Untracked != 0)
        {
            places[count++] = new PlaceCounters("connections", "operations", (long)c.Untracked, Lost: (long)c.Untracked);
        }

        return count + RingCounters.Missed("sockets", counted, places[count..]);
    }

    /// <summary>Takes the programs off the kernel. What they wrote can still be read.</summary>
    public void Detach()
    {
        links.ForEach(link => link.Dispose());
        links.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Detach();
        verdicts?.Dispose();
        passed?.Dispose();
        threadRules?.Dispose();
        programs.Dispose();
    }

    private static SocketSource Open(
        SocketSourceKind kind, string file, string[] names, SelectionMap selection, uint ringSize, bool detectsSql,
        ContextPropagation propagation, bool settlesContexts)
    {
        var programs = BpfObject.Open(file);
        try
        {
            programs.Map(SelectionMap.Name).ShareFrom(selection.Map);
            programs.Map("socket_events").MaxEntries = ringSize;
            programs.SetConstants(".rodata.settings", detectsSql ? 1u : 0u);
            Prepare(
                programs, propagation,
                propagation != ContextPropagation.Disabled ? PropagatesAll : settlesContexts ? PropagatesGo : PropagatesNothing);
            programs.Select(names).Load();
            var source = new SocketSource(kind, programs, names, ringSize);
            try
            {
                foreach (var name in names)
                {
                    source.links.Add(programs.Program(name).Attach());
                }

                return source;
            }
            catch
            {
                source.links.ForEach(link => link.Dispose());
                throw;
            }
        }
        catch
        {
            programs.Dispose();
            throw;
        }
    }

    /// <summary>Kernels without sendmsg for pages send what a sk_msg program let pass by a function of its own.</summary>
    private static string[] Pushed(string[] names, ContextPropagation propagation) =>
        (propagation & ContextPropagation.Headers) != 0 && names.Contains("on_sendpage") ? ["on_pushed"] : [];

    /// <summary>Where no contexts are passed on, what belongs to them is left out of the programs, and its maps are small.</summary>
    private static void Prepare(BpfObject programs, ContextPropagation propagation, uint propagates)
    {
        programs.SetConstants(".rodata.propagates", propagates);
        programs.SetConstants(".rodata.slack", GoroutineNumbers.Slack);
        if (propagates == PropagatesNothing)
        {
            programs.Map("wires").MaxEntries = programs.Map("works").MaxEntries = programs.Map("serving").MaxEntries = 1;
        }

        if ((propagation & ContextPropagation.Headers) == 0)
        {
            programs.Map("stashes").MaxEntries = 1;
        }
    }
}
