using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Processes.Inspections.Go;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Protocols.Postgres;
using Beyla.Agent.Protocols.Redis;
using Beyla.Agent.Protocols.Sql;
using Beyla.Agent.Selection;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;
using Beyla.Agent.Tracing.Parents;
using SocketSource = Beyla.Agent.Kernel.SocketSource;
using Tracer = Beyla.Agent.Tracing.Tracer;
using TracePrinter = Beyla.Agent.Export.TracePrinter;

namespace Beyla.Cli;

/// <summary>Application observability put together: watcher and socket programs, processes, connections, HTTP, printers.</summary>
internal sealed class ApplicationTracing : IEventLoopClient, IProcessEventSink, IDisposable
{
    /// <summary>Bytes of a statement that the kernel side captures (bpf/protocols/postgres.h, POSTGRES_TEXT).</summary>
    private const int MaxStatement = 4096;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(0.5);

    private readonly Watcher watcher;
    private readonly StartedNames? names;
    private readonly SocketSource source;
    private readonly ContextPassing? passing;
    private readonly ProcessTable processes;
    private readonly Tracer tracer;
    private readonly SpanParents parents;
    private readonly SpanExporter spans;
    private readonly OutputQueue output;
    private readonly EventLoop loop;
    private readonly ProcReader proc;
    private readonly ProcessEventReader records;
    private readonly Aside aside;
    private readonly GoPrograms goPrograms;
    private readonly GoProcesses go;
    private bool detached;

    private ApplicationTracing(
        AgentConfiguration configuration, StartedNames? names, Watcher watcher,
        SocketSource source, ContextPassing? passing, GoWritePrograms? goWriter, TracePrinter printer, OutputQueue output)
    {
        (this.names, this.watcher, this.source, this.passing, this.output) = (names, watcher, source, passing, output);
        records = new ProcessEventReader(this);
        Services = configuration.Network.Enabled ? new ServiceSnapshot() : null;
        proc = new ProcReader(privilege: new Permissions.ForProc());
        if (!proc.IsInitialPidNamespace())
        {
            Log.Warn("The agent runs in a pid namespace of its own: the kernel names processes by other numbers, so none can be selected",
                ("fix", "run it in the host's pid namespace (hostPID: true, --pid=host)"));
        }

        goPrograms = new GoPrograms(watcher.Selection, source, goWriter);
        go = new GoProcesses(goPrograms, TellOfGo, static failure => Log.Info(
            "The kernel sets no probes in Go programs: which request caused a call over HTTP is not known for them",
            ("error", failure.Message)));
        var listeners = new KernelListeners(watcher.Listeners);
        aside = Aside.Create(proc, listeners, new AsideOptions
        {
            Troubled = static trouble => Log.WarnLimited("aside", "A process could not be looked at", ("trouble", trouble)),
        }, go);
        processes = new ProcessTable(
            configuration.Selection,
            new KernelSelection(watcher.Selection),
            listeners,
            proc,
            aside,
            new ProcessTableOptions
            {
                ServiceName = configuration.Selection.ServiceName,
                ServiceNamespace = configuration.Selection.ServiceNamespace,
                Services = Services,
                NeedsControlGroup = passing is not null,
                Go = go,
                Clock = static () => (long)MonotonicClock.Now,
                StartedWith = names is null ? null : ReadName,
                StartsSeenFrom = names is null ? long.MaxValue : MonotonicClock.BootTicks + 1,
                NameHidden = static executable => Log.Info(
                    "A process that began before the agent has written over its environment: "
                        + "if OTEL_SERVICE_NAME was there, it cannot be known",
                    ("exe", executable),
                    ("fix", "restart the process while the agent runs, or name it by a rule (discovery.instrument, name)")),
                LostEvents = static count => Log.WarnLimited(
                    "processes lost",
                    "Events of processes were lost, more came than the agent could take: the processes that run are looked through",
                    ("lost", count)),
                Selected = OnSelected,
            });
        spans = new SpanExporter(processes, new Redactor(configuration.SensitiveQueryParameters), new WallClock(), printer.Sinks);
        processes.Judged = spans.Release;
        parents = new SpanParents(spans, processes, passing is null ? null : new KernelThreadRule(source.ThreadRules));
        var buffers = new BufferPool();
        tracer = new Tracer(
            new TracerOptions(),
            buffers,
            new KernelVerdicts(source.Verdicts),
            new KernelPassed(source.Passed),
            parents,
            Protocols(configuration, parents, buffers));
        loop = new EventLoop(watcher, source, configuration.PollInterval);
        loop.Watch(aside.FileDescriptor);
        loop.WatchEnd(OutputQueue.StandardOutput);
    }

    /// <summary>The services of traced processes, for flows; null where there are none.</summary>
    public ServiceSnapshot? Services { get; }

    /// <summary>The stages that count, in pipeline order.</summary>
    public IReadOnlyList<ICounted> Places =>
        [.. names is null ? (ICounted[])[] : [names], watcher, records, processes, aside, source, tracer, parents, spans];

    /// <summary>Loads and attaches what the configuration needs, and looks for the processes that are there already.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static ApplicationTracing Start(AgentConfiguration configuration, TracePrinter printer, OutputQueue output)
    {
        var tracing = LoadAndAttach(configuration, printer, output);
        try
        {
            // Reads files of every process: nothing is effective but what one such call raises.
            tracing.processes.Start();
            tracing.watcher.Selection.Capture(true);
            return tracing;
        }
        catch
        {
            tracing.Dispose();
            throw;
        }
    }

    private static ApplicationTracing LoadAndAttach(AgentConfiguration configuration, TracePrinter printer, OutputQueue output)
    {
        using var raised = Privilege.Raise(Permissions.Tracing);
        var ways = configuration.ContextPropagation;
        var groups = ContextPassing.FindGroups(ways);
        var needs = new SelectionNeeds(configuration.Selection);
        // First: when the watcher tells of a process, its name is there.
        var names = needs.Ports || needs.EveryExec ? OpenNames() : null;
        Watcher? watcher = null;
        SocketSource? source = null;
        ContextPassing? passing = null;
        GoWritePrograms? goWriter = null;
        try
        {
            watcher = Watcher.Open(new WatcherNeeds
            {
                EveryExec = needs.EveryExec, JudgeListeners = needs.JudgeListeners, Ports = needs.PortsMentioned(),
            });
            source = OpenSockets(configuration, watcher, groups is null ? ContextPropagation.Disabled : ways);
            passing = groups is null ? null : ContextPassing.Open(ways, source, watcher.Selection, groups);
            if (passing is null && groups is not null)
            {
                // What nobody is told must not be settled when it is sent: later more is known.
                source.Dispose();
                source = null;
                source = OpenSockets(configuration, watcher, ContextPropagation.Disabled);
            }

            goWriter = GoHeaders.Open(ways, source, watcher.Selection, isOnlyWay: passing is null);
            return new ApplicationTracing(configuration, names, watcher, source, passing, goWriter, printer, output);
        }
        catch
        {
            goWriter?.Dispose();
            passing?.Dispose();
            source?.Dispose();
            watcher?.Dispose();
            names?.Dispose();
            throw;
        }
    }

    /// <param name="configuration">Which source, and headers of Go programs.</param>
    /// <param name="watcher">Whose selection is shared.</param>
    /// <param name="ways">How contexts travel from control groups.</param>
    private static SocketSource OpenSockets(AgentConfiguration configuration, Watcher watcher, ContextPropagation ways) =>
        SocketSource.Open(
            configuration.SocketSource, watcher.Selection, configuration.RingSize, configuration.DetectsSql, ways,
            static (kind, failure) => Log.Debug(
                "The kernel does not take this socket source",
                ("source", kind.ToString()), ("error", failure.Message), ("log", failure.Log)),
            settlesContexts: GoHeaders.MayWrite(configuration.ContextPropagation));

    /// <summary>An old kernel has not what it takes; then names come from /proc alone.</summary>
    private static StartedNames? OpenNames()
    {
        try
        {
            return StartedNames.Open();
        }
        catch (KernelException failure)
        {
            Log.Debug("The kernel does not keep names of processes", ("error", failure.Message), ("log", failure.Log));
            return null;
        }
    }

    private byte[]? ReadName(int pid)
    {
        using var raised = Privilege.Raise(Capability.Bpf);
        return names?.Read(pid);
    }

    private void OnSelected(ProcessInfo process)
    {
        Log.Info(
            "Tracing process",
            ("pid", process.Pid),
            ("service", process.ServiceName),
            ("language", SelectionRule.LanguageName(process.Language)),
            ("exe", process.Executable));
        if (passing is null)
        {
            return;
        }

        // Before its first request is seen: until then the kernel side would take its threads for ones that tell.
        if (SpanParents.IsLoop(process.Language))
        {
            source.ThreadRules.Forbid(process.Pid);
        }

        passing.Include(process);
    }

    /// <summary>What was attached and how many processes are traced, for the log.</summary>
    public IEnumerable<LogField> Describe() =>
    [
        ("source", source.Kind.ToString()),
        ("processes", processes.Selected.Count()),
    ];

    /// <summary>Why events cannot be read any more, for the log; null while they can.</summary>
    public string? Failure => loop.Failure;

    /// <summary>Reads until <see cref="Stop"/>, or until there is a <see cref="Failure"/>.</summary>
    public void Run()
    {
        _ = Scheduling.TryYieldToOthers();
        loop.Run(records, tracer, this);
    }

    /// <summary>Ends <see cref="Run"/>. Any thread.</summary>
    public void Stop() => loop.Stop();

    /// <summary>Stops capturing, then reads what is still in the rings.</summary>
    public void Detach()
    {
        if (detached)
        {
            return;
        }

        detached = true;
        watcher.Selection.Capture(false);
        passing?.Detach();
        source.Detach();
        _ = loop.Drain(records, tracer);
        parents.Tick((long)MonotonicClock.Now, all: true);
        // Spans that wait for a look at their process have it in a moment; a look that does not come back holds up nothing.
        processes.Settle(StopLimit, () => !spans.IsHolding);
        spans.Tick(all: true);
        Flush();
        foreach (var refusal in proc.DescribeRefusals())
        {
            Log.Info("Not everything could be read", ("reason", refusal));
        }
    }

    /// <inheritdoc/>
    public void OnProcessEvent(in ProcessEvent e) => processes.OnProcessEvent(in e);

    /// <summary>Takes what looks at processes found, and writes what is printed.</summary>
    public void Flush()
    {
        processes.TakeResults();
        tracer.LookAtPassed();
        spans.Flush();
    }

    /// <summary>Does what is due by time, in all stages.</summary>
    public void Tick(ulong now)
    {
        processes.OnTick((long)now);
        tracer.Tick(now);
        parents.Tick((long)now);
        spans.Tick();
        output.Look();
    }

    /// <summary>Detaches if that was not done, then gives back programs, maps and threads.</summary>
    public void Dispose()
    {
        Detach();
        aside.Dispose();
        go.Dispose();
        goPrograms.Dispose();
        loop.Dispose();
        passing?.Dispose();
        source.Dispose();
        watcher.Dispose();
        names?.Dispose();
    }

    private static void TellOfGo(ProcessInfo process, GoExecutable executable)
    {
        if (executable.Trouble is { } trouble)
        {
            Log.Info(
                executable.Offsets is null
                    ? "Goroutines of this program are not looked at"
                    : "Which goroutine of this program calls over HTTP is not known",
                ("pid", process.Pid), ("version", executable.Version), ("reason", trouble));
            return;
        }

        Log.Debug("Looking at goroutines", ("pid", process.Pid), ("version", executable.Version),
            ("probe", executable.RoundTrip == 0 ? "none" : "net/http.(*persistConn).roundTrip"),
            ("headers", executable.WriteBody == 0 ? "none" : "net/http.(*transferWriter).writeBody"));
    }

    private static IProtocol[] Protocols(AgentConfiguration configuration, ISpanSink spans, BufferPool buffers) =>
    [
        new HttpProtocol(new HttpOptions { RequestTimeout = configuration.HttpRequestTimeout }, spans, buffers),
        new PostgresProtocol(
            new PostgresOptions
            {
                MaxStatements = configuration.PostgresPreparedStatements,
                MaxText = configuration.PostgresTextLength is > 0 and < MaxStatement and var length ? length : MaxStatement,
            },
            spans,
            buffers),
        new RedisProtocol(new RedisOptions { IsDatabaseShown = configuration.ShowsRedisDatabase }, spans, buffers),
        // Asked last: what is known goes before what is guessed.
        .. configuration.DetectsSql ? (IProtocol[])[new SqlProtocol(new SqlOptions(), spans, buffers)] : [],
    ];

    private sealed class KernelVerdicts(VerdictMap map) : IVerdicts
    {
        /// <inheritdoc/>
        public void Tell(ulong connection, ProtocolId protocol) => map.Set(connection, protocol);
    }

    private sealed class KernelThreadRule(ThreadRuleMap map) : IThreadRule
    {
        /// <inheritdoc/>
        public void Forbid(int pid) => map.Forbid(pid);

        /// <inheritdoc/>
        public void Allow(int pid) => map.Allow(pid);
    }

    private sealed class KernelPassed(PassedMap map) : IPassed
    {
        /// <inheritdoc/>
        public bool TryRead(ulong connection, uint known, out uint until, out long time) =>
            map.TryRead(connection, known, out until, out time);
    }

    private sealed class KernelListeners(ListenerScan scan) : IListenerScan
    {
        /// <inheritdoc/>
        public void Scan(int pid, IProcessEventSink sink)
        {
            using var raised = Privilege.Raise(Capability.Bpf, Capability.Perfmon);
            scan.Scan(pid, sink);
        }
    }
}
