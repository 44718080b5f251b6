using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export;
using Beyla.Agent.Kernel;
using Beyla.Agent.Logging;
using Beyla.Agent.Processes;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Tracing;
using SocketSource = Beyla.Agent.Kernel.SocketSource;
using Tracer = Beyla.Agent.Tracing.Tracer;
using TracePrinter = Beyla.Agent.Export.TracePrinter;

namespace Beyla.Cli;

/// <summary>Application observability put together: watcher and socket programs, processes, connections, HTTP, printers.</summary>
internal sealed class ApplicationTracing : IEventLoopClient, IProcessEventSink, IDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(0.5);

    private readonly Watcher watcher;
    private readonly SocketSource source;
    private readonly ProcessTable processes;
    private readonly Tracer tracer;
    private readonly SpanExporter spans;
    private readonly OutputQueue output;
    private readonly EventLoop loop;
    private readonly ProcReader proc;
    private readonly Aside aside;
    private bool detached;

    private ApplicationTracing(AgentConfiguration configuration, Watcher watcher, SocketSource source, TracePrinter printer, OutputQueue output)
    {
        (this.watcher, this.source, this.output) = (watcher, source, output);
        proc = new ProcReader(privilege: new Permissions.ForProc());
        if (!proc.IsInitialPidNamespace())
        {
            Log.Warn("The agent runs in a pid namespace of its own: the kernel names processes by other numbers, so none can be selected",
                ("fix", "run it in the host's pid namespace (hostPID: true, --pid=host)"));
        }

        var listeners = new KernelListeners(watcher.Listeners);
        aside = Aside.Create(proc, listeners, new AsideOptions
        {
            Troubled = static trouble => Log.WarnLimited("aside", "A process could not be looked at", ("trouble", trouble)),
        });
        processes = new ProcessTable(
            configuration.Selection,
            new KernelSelection(watcher.Selection),
            listeners,
            proc,
            aside,
            new ProcessTableOptions
            {
                Clock = static () => (long)MonotonicClock.Now,
                Selected = static process => Log.Info(
                    "Tracing process",
                    ("pid", process.Pid),
                    ("service", process.ServiceName),
                    ("language", SelectionRule.LanguageName(process.Language)),
                    ("exe", process.Executable)),
            });
        spans = new SpanExporter(processes, new Redactor(configuration.SensitiveQueryParameters), new WallClock(), printer.Sinks);
        processes.Judged = spans.Release;
        tracer = new Tracer(new TracerOptions(), new HttpProtocol(new HttpOptions { RequestTimeout = configuration.HttpRequestTimeout }, spans));
        loop = new EventLoop(watcher, source, configuration.PollInterval);
        loop.Watch(aside.FileDescriptor);
    }

    /// <summary>The places that count, in the order of the way of the data.</summary>
    public IReadOnlyList<ICounted> Places => [watcher, processes, aside, source, tracer, spans];

    /// <summary>Loads and attaches what the configuration needs, and looks for the processes that are there already.</summary>
    /// <exception cref="BpfException">The kernel refused.</exception>
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
        var needs = new SelectionNeeds(configuration.Selection);
        var watcher = Watcher.Open(needs.EveryExec, needs.JudgeListeners);
        SocketSource? source = null;
        try
        {
            source = SocketSource.Open(
                configuration.SocketSource,
                watcher.Selection,
                configuration.RingSize,
                static (kind, failure) => Log.Debug("The kernel does not take this socket source", ("source", kind.ToString()), ("error", failure.Message), ("log", failure.Log)));
            return new ApplicationTracing(configuration, watcher, source, printer, output);
        }
        catch
        {
            source?.Dispose();
            watcher.Dispose();
            throw;
        }
    }

    /// <summary>What was attached and how many processes are traced, for the log.</summary>
    public IEnumerable<LogField> Describe() =>
    [
        ("source", source.Kind.ToString()),
        ("processes", processes.Selected.Count()),
    ];

    /// <summary>Reads until <see cref="Stop"/>.</summary>
    public void Run() => loop.Run(new ProcessEventReader(this), tracer, this);

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
        source.Detach();
        _ = loop.Drain(new ProcessEventReader(this), tracer);
        // Spans that wait for a look at their process have it in a moment; a look that does not come back holds up nothing.
        processes.Settle(StopLimit, () => !spans.IsHolding);
        spans.Tick(all: true);
        Flush();
        foreach (var refusal in proc.DescribeRefusals())
        {
            Log.Info("Not everything could be read", ("reason", refusal));
        }
    }

    public void OnProcessEvent(in ProcessEvent e) => processes.OnProcessEvent(in e);

    public void Flush()
    {
        processes.TakeResults();
        output.Flush();
    }

    public void Tick(ulong now)
    {
        processes.OnTick((long)now);
        tracer.Tick(now);
        spans.Tick();
    }

    public void Dispose()
    {
        Detach();
        aside.Dispose();
        loop.Dispose();
        source.Dispose();
        watcher.Dispose();
    }

    private sealed class KernelListeners(ListenerScan scan) : IListenerScan
    {
        public void Scan(int pid, IProcessEventSink sink)
        {
            using var raised = Privilege.Raise(Capability.Bpf, Capability.Perfmon);
            scan.Scan(pid, sink);
        }
    }
}
