using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Keeper;
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
using Microsoft.Win32.SafeHandles;
using Tracer = Beyla.Agent.Tracing.Tracer;

namespace Beyla.Cli;

/// <summary>Application observability put together: what the kernel side tells, processes, connections, protocols, printers.</summary>
internal sealed class ApplicationTracing : IEventLoopClient, IProcessEventSink, IDisposable
{
    /// <summary>Bytes of a statement that the kernel side captures (bpf/protocols/postgres.h, POSTGRES_TEXT).</summary>
    private const int MaxStatement = 4096;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(0.5);

    private readonly KeeperConnection keeper;
    private readonly ApplicationMaps kernel;
    private readonly ProcessTable processes;
    private readonly Tracer tracer;
    private readonly SpanParents parents;
    private readonly SpanExporter spans;
    private readonly OutputQueue output;
    private readonly EventLoop loop;
    private readonly ProcReader proc;
    private readonly ProcessEventReader records;
    private readonly Aside aside;
    private readonly GoProcesses go;
    private bool detached;

    private ApplicationTracing(
        AgentConfiguration configuration, KeeperConnection keeper, ApplicationMaps kernel, IExportSink[] sinks, OutputQueue output)
    {
        (this.keeper, this.kernel, this.output) = (keeper, kernel, output);
        records = new ProcessEventReader(this);
        Services = configuration.Network.Enabled ? new ServiceSnapshot() : null;
        proc = new ProcReader(keeper);
        if (!proc.IsInitialPidNamespace())
        {
            Log.Warn("The agent runs in a pid namespace of its own: the kernel names processes by other numbers, so none can be selected",
                ("fix", "run it in the host's pid namespace (hostPID: true, --pid=host)"));
        }

        var view = new KeeperGo(keeper, kernel.Selection, kernel.Has(ApplicationParts.GoHeaders));
        go = new GoProcesses(view, TellOfGo, static failure => Log.Info(
            "The kernel sets no probes in Go programs: which request caused a call over HTTP is not known for them",
            ("error", failure.Message)));
        var listeners = new KernelListeners(keeper);
        aside = Aside.Create(proc, listeners, new AsideOptions
        {
            Troubled = static trouble => Log.WarnLimited("aside", "A process could not be looked at", ("trouble", trouble)),
        }, go);
        processes = new ProcessTable(
            configuration.Selection,
            new KernelSelection(kernel.Selection),
            listeners,
            proc,
            aside,
            new ProcessTableOptions
            {
                ServiceName = configuration.Selection.ServiceName,
                ServiceNamespace = configuration.Selection.ServiceNamespace,
                Services = Services,
                NeedsControlGroup = kernel.Has(ApplicationParts.Passing),
                Go = go,
                Clock = static () => (long)MonotonicClock.Now,
                StartedWith = kernel.Has(ApplicationParts.Names) ? keeper.StartedWith : null,
                StartsSeenFrom = kernel.Has(ApplicationParts.Names) ? MonotonicClock.BootTicks + 1 : long.MaxValue,
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
                Ended = OnEnded,
            });
        spans = new SpanExporter(processes, new Redactor(configuration.SensitiveQueryParameters), new WallClock(), sinks);
        processes.Judged = spans.Release;
        parents = new SpanParents(spans, processes, kernel.Has(ApplicationParts.Passing) ? new KernelThreadRule(kernel.ThreadRules) : null);
        var buffers = new BufferPool();
        tracer = new Tracer(
            new TracerOptions(),
            buffers,
            new KernelVerdicts(kernel.Verdicts),
            new KernelPassed(kernel.Passed),
            parents,
            Protocols(configuration, parents, buffers));
        loop = kernel.Loop(configuration.PollInterval);
        loop.Watch(aside.FileDescriptor);
        loop.WatchEnd(OutputQueue.StandardOutput);
    }

    /// <summary>The services of traced processes, for flows; null where there are none.</summary>
    public ServiceSnapshot? Services { get; }

    /// <summary>The stages that count, in pipeline order.</summary>
    public IReadOnlyList<ICounted> Places =>
        [
            new KernelPlaces(keeper, CounterGroup.Processes), records, processes, aside,
            new KernelPlaces(keeper, CounterGroup.Sockets), tracer, parents, spans,
        ];

    /// <summary>Begins with what the keeper attached, and looks for the processes that are there already.</summary>
    /// <returns>Null where nothing was attached, which the keeper has said.</returns>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static ApplicationTracing? Start(
        AgentConfiguration configuration, KeeperConnection keeper, IExportSink[] sinks, OutputQueue output)
    {
        if (ApplicationMaps.Open(keeper) is not { } kernel)
        {
            return null;
        }

        var tracing = new ApplicationTracing(configuration, keeper, kernel, sinks, output);
        try
        {
            tracing.processes.Start();
            kernel.Selection.Capture(true);
            return tracing;
        }
        catch
        {
            tracing.Dispose();
            throw;
        }
    }

    private void OnSelected(ProcessInfo process)
    {
        Log.Info(
            "Tracing process",
            ("pid", process.Pid),
            ("service", process.ServiceName),
            ("language", SelectionRule.LanguageName(process.Language)),
            ("exe", process.Executable));
        if (!kernel.Has(ApplicationParts.Passing))
        {
            return;
        }

        // Before its first request is seen: until then the kernel side would take its threads for ones that tell.
        if (SpanParents.IsLoop(process.Language))
        {
            kernel.ThreadRules.Forbid(process.Pid);
        }

        if (process.ControlGroup is { } group)
        {
            keeper.IncludeGroup(group);
            return;
        }

        Log.WarnLimited(
            "control group", "Trace context of a process is not passed on", ("pid", process.Pid),
            ("error", "it is in no control group of version 2 that the agent sees, or could not be looked at"));
    }

    private void OnEnded(ProcessInfo process) => spans.Forget(process);

    /// <summary>What was attached and how many processes are traced, for the log.</summary>
    public IEnumerable<LogField> Describe() =>
    [
        ("source", kernel.Source.ToString()),
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
        kernel.Selection.Capture(false);
        keeper.Detach();
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
        // What is known by now is little where it is the keeper that does not answer.
        if (!aside.IsExcusing)
        {
            spans.Tick();
        }

        output.Look();
    }

    /// <summary>Detaches if that was not done, then gives back programs, maps and threads.</summary>
    public void Dispose()
    {
        Detach();
        aside.Dispose();
        go.Dispose();
        loop.Dispose();
        kernel.Dispose();
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

    private sealed class KernelListeners(KeeperConnection keeper) : IListenerScan
    {
        /// <inheritdoc/>
        public void Scan(int pid, IProcessEventSink sink)
        {
            var iterator = keeper.ScanListeners(pid);
            if (iterator < 0)
            {
                return;
            }

            using var open = new SafeFileHandle(iterator, ownsHandle: true);
            ListenerScan.Read(iterator, pid, sink);
        }
    }
}
