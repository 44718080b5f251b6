using System.Diagnostics;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Flows;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;
using Beyla.Agent.Spans.Filters;
using Beyla.Agent.Spans.Routes;
using Beyla.Agent.Statistics;
using TracePrinter = Beyla.Agent.Export.TracePrinter;

namespace Beyla.Cli;

/// <summary>
/// An agent from its start to its end: <see cref="TryStart(AgentConfiguration, KeeperConnection)"/>, <see cref="Serve"/>,
/// <see cref="Stop"/>, each once and in this order.
/// </summary>
internal sealed class RunningAgent : IDisposable
{
    /// <summary>For the output at the end, so that the whole stop takes less than two seconds.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(1.2);

    private readonly AgentConfiguration configuration;
    private readonly KeeperConnection keeper;
    private readonly StopSignals stop;
    private readonly OutputQueue output;
    private readonly TracePrinter printer;
    private readonly Exports? exports;
    private ApplicationTracing? application;
    private FlowObserver? flows;
    private StatisticReader? statistics;
    private RoutedSink? routed;
    private FilteredSink? filtered;
    private FilteredFlows? filteredFlows;
    private FilteredStatistics? filteredStatistics;
    private CounterReports counters = null!;
    private int failure;
    private volatile bool isOutputClosed, areLinesOver;

    private RunningAgent(AgentConfiguration configuration, KeeperConnection keeper)
    {
        (this.configuration, this.keeper) = (configuration, keeper);
        // The end of the caller is the keeper's matter.
        stop = new StopSignals(withParent: false);
        output = new OutputQueue();
        output.Closed += errno =>
        {
            failure = errno;
            isOutputClosed = errno == 0;
            stop.Request(errno == 0 ? "standard output was closed" : "standard output failed");
        };
        printer = TracePrinter.Create(configuration.TracePrinter, output);
        exports = Exports.Start(configuration, TextOf, new ProcReader(keeper), OnLinesOver);
    }

    /// <summary>Starts what is configured. A mode that the kernel refuses is reported and left out: the other one may still work.</summary>
    /// <param name="configuration">What is configured.</param>
    /// <param name="keeper">Has loaded and attached what is configured.</param>
    /// <returns>Null when nothing did start; that was reported.</returns>
    public static RunningAgent? TryStart(AgentConfiguration configuration, KeeperConnection keeper)
    {
        var agent = new RunningAgent(configuration, keeper);
        try
        {
            if (agent.TryStart())
            {
                return agent;
            }
        }
        catch
        {
            agent.Dispose();
            throw;
        }

        agent.Dispose();
        return null;
    }

    /// <summary>What ends it.</summary>
    public StopSignals Signals => stop;

    /// <summary>Returns when the agent was asked to end.</summary>
    public void Serve()
    {
        stop.OnReport(counters.Write);
        LogField[] others = statistics is null ? [] : [("statistics", "yes")];
        Log.Info("Beyla is tracing",
            [.. application?.Describe() ?? [], .. flows is null ? [] : NetworkFlows.Describe(flows), .. others]);
        if (application is not null)
        {
            stop.OnRequest(application.Stop);
            application.Run();
            if (application.Failure is not null)
            {
                stop.Request("events cannot be read any more");
            }
        }

        stop.Wait();
    }

    /// <summary>Takes everything off the kernel, writes what waits, says what was counted.</summary>
    /// <returns>The exit code.</returns>
    public int Stop()
    {
        Log.Info("Beyla stops", ("reason", stop.Reason));
        application?.Detach();
        flows?.Stop();
        statistics?.Stop();
        var stopping = Stopwatch.GetTimestamp();
        var limit = configuration.ShutdownTimeout < StopLimit ? configuration.ShutdownTimeout : StopLimit;
        exports?.Stop(limit * 0.7);
        // The counters are taken when the output is drained and before it ends, so that they are the last line of the stream.
        var rest = limit - Stopwatch.GetElapsedTime(stopping);
        printer.End(counters.Take, rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
        // One limit for all: a receiver or reader that stands still has used it up by now.
        var left = limit - Stopwatch.GetElapsedTime(stopping);
        output.Stop(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        stop.OnReport(null);
        counters.Write();
        if (failure != 0)
        {
            Log.Error("Writing to standard output failed", ("error", Errno.Describe(failure)));
        }

        if (application?.Failure is { } damage)
        {
            Log.Error("Reading the kernel's events failed", ("error", damage));
        }

        return failure == 0 && application?.Failure is null && (!areLinesOver || isOutputClosed) ? ExitCode.Stopped : ExitCode.Failed;
    }

    /// <summary>
    /// Requests cannot be written to standard output any more. Where its reader has closed it that is a normal end, as for a printer.
    /// </summary>
    private void OnLinesOver()
    {
        areLinesOver = true;
        output.Look();
        stop.Request("standard output failed");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        statistics?.Dispose();
        flows?.Dispose();
        application?.Dispose();
        exports?.Dispose();
        output.Dispose();
        stop.Dispose();
    }

    private bool TryStart()
    {
        printer.Begin(AgentVersion.Text);
        application = configuration.ApplicationEnabled
            ? ModeStart.Try("Application observability", () => ApplicationTracing.Start(configuration, keeper, Sinks(), output)) : null;
        flows = configuration.Network.Enabled
            ? ModeStart.Try("Network observability", () => NetworkFlows.Start(configuration, keeper, Sink(), application?.Services)) : null;
        statistics = configuration.Statistics.Enabled
            ? ModeStart.Try("TCP statistics", () => TcpStatistics.Start(keeper, StatisticSink())) : null;
        var places = Places();
        counters = new CounterReports(places, keeper);
        exports?.Tell(() => CountersReport.Take(places).Places);
        return application is not null || flows is not null || statistics is not null;
    }

    private IFlowSink Sink()
    {
        var sink = NetworkFlows.PrinterOf(configuration, output);
        sink = exports?.Flows is { } counted ? new FlowSinks(sink, counted) : sink;
        return configuration.Network.Filter.Count == 0
            ? sink : filteredFlows = new FilteredFlows(sink, configuration.Network.Filter);
    }

    private ITcpStatisticSink StatisticSink()
    {
        var sink = TcpStatistics.SinkOf(configuration, output, exports?.Statistics);
        return configuration.Statistics.Filter.Count == 0
            ? sink : filteredStatistics = new FilteredStatistics(sink, configuration.Statistics);
    }

    private IExportSink[] Sinks() => [.. Printers(), .. exports?.Sinks ?? []];

    /// <summary>
    /// The printers show routes where somebody asked for routes, or filters by them: what is sent has them at no cost to that thread.
    /// </summary>
    private IExportSink[] Printers()
    {
        var shaping = configuration.Shaping;
        var sinks = printer.Sinks;
        if (sinks.Length == 0)
        {
            return sinks;
        }

        if (shaping.Filter.Count > 0)
        {
            sinks = [filtered = new FilteredSink(sinks, new SpanFilter(shaping.Filter))];
        }

        return shaping.Routes.IsConfigured || configuration.Selection.Rules.Any(static rule => rule.Routes is not null)
            || SpanFilter.NeedsRoutes(shaping.Filter)
            ? [routed = new RoutedSink(sinks, new RouteShaper(shaping.Routes), IgnoredSignals.Traces)] : sinks;
    }

    /// <summary>What the keeper read in a file that the configuration names.</summary>
    private string? TextOf(string path)
    {
        for (var number = 0; number < configuration.NamedFiles.Count; number++)
        {
            if (configuration.NamedFiles[number].Path == path)
            {
                return keeper.NamedFile(number);
            }
        }

        return null;
    }

    /// <summary>All that counts, in pipeline order.</summary>
    private List<ICounted> Places()
    {
        ICounted?[] before = [flows, filteredFlows, routed, filtered, printer.Counted];
        ICounted[] ofConnections = statistics is null ? []
            : [new KernelPlaces(keeper, CounterGroup.Statistics), statistics, .. filteredStatistics is { } one ? (ICounted[])[one] : []];
        return [.. application?.Places ?? [], .. ofConnections, .. before.OfType<ICounted>(), output, .. exports?.Places ?? []];
    }
}
