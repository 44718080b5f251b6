using System.Diagnostics;
using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using TracePrinter = Beyla.Agent.Export.TracePrinter;

namespace Beyla.Cli;

/// <summary>The agent's main job: check what it may, start what is configured, run until it is stopped, say what it counted.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(1.2);

    public static int Run(LoadedConfiguration loaded)
    {
        var usable = loaded.Problems.Count == 0;
        var request = usable ? Permissions.RequestOf(loaded) : default;
        var facts = HostFactsReader.Read();
        // Before the first line is written: that makes the runtime start a thread, and a thread keeps what its creator held.
        var holding = Privilege.Retain(CapabilityCheck.Usable(request, facts));

        // Warnings first: a misspelt name is often the reason for the error.
        if (usable)
        {
            Log.Configure(loaded.Configuration.LogLevel, loaded.Configuration.LogFormat);
        }

        Entry.WarnOf(holding);

        foreach (var warning in loaded.Warnings)
        {
            Log.Warn("Configuration", ("warning", warning));
        }

        var configuration = loaded.ConfigurationToStart;

        if (configuration.LogConfig != LoggedConfiguration.None)
        {
            var report = configuration.LogConfig == LoggedConfiguration.Json
                ? ConfigurationReport.ToJson(loaded, all: false, indented: false)
                : ConfigurationReport.ToText(loaded, all: false);
            Log.Info("Running with configuration", ("config", report));
        }

        var capabilities = CapabilityCheck.Evaluate(request, facts);
        if (!MayStart(request, facts, capabilities))
        {
            return ExitCode.CapabilitiesMissing;
        }

        using var stop = new StopSignals(configuration.ExitWithParent);
        using var output = new OutputQueue();
        var failure = 0;
        output.Closed += errno =>
        {
            failure = errno;
            stop.Request(errno == 0 ? "standard output was closed" : "standard output failed");
        };
        var printer = TracePrinter.Create(configuration.TracePrinterName, output);
        printer.Begin(AgentVersion.Text);

        using var application = configuration.ApplicationEnabled
            ? Try("Application observability", () => ApplicationTracing.Start(configuration, printer, output)) : null;
        using var flows = configuration.Network.Enabled ? Try("Network observability", () => NetworkFlows.Start(configuration, output, application?.Services, capabilities)) : null;
        if (application is null && flows is null)
        {
            return ExitCode.Failed;
        }

        List<ICounted> places = [.. application?.Places ?? []];
        if (flows is not null)
        {
            places.Add(flows);
        }

        places.Add(output);
        if (printer.Counted is { } counted)
        {
            places.Insert(places.Count - 1, counted);
        }

        stop.OnReport(() => Report(places));
        Log.Info("Beyla is tracing", [.. application?.Describe() ?? [], .. flows is null ? [] : NetworkFlows.Describe(flows)]);
        if (application is not null)
        {
            stop.OnRequest(application.Stop);
            application.Run();
        }

        stop.Wait();
        Log.Info("Beyla stops", ("reason", stop.Reason));
        application?.Detach();
        flows?.Stop();
        // The counters are taken when the output is drained and before it ends, so that they are the last line of the stream.
        var stopping = Stopwatch.GetTimestamp();
        var limit = configuration.ShutdownTimeout < StopLimit ? configuration.ShutdownTimeout : StopLimit;
        printer.End(() => Take(places), limit);
        // One limit for both: a reader that stands still has used it up by now.
        var left = limit - Stopwatch.GetElapsedTime(stopping);
        output.Stop(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        stop.OnReport(null);
        Report(places);
        if (failure != 0)
        {
            Log.Error("Writing to standard output failed", ("error", Errno.Describe(failure)));
        }

        return failure == 0 ? ExitCode.Stopped : ExitCode.Failed;
    }

    private static bool MayStart(CapabilityRequest request, HostFacts facts, CapabilityReport capabilities)
    {
        var demanded = request.Features.HasFlag(Feature.FlowProcesses) ? CapabilitySet.Of(Capability.Perfmon) : CapabilitySet.None;
        var start = StartupCheck.MayStart(
            capabilities, request.Enforce, out var lines, demanded, "network.require_process", CapabilityCheck.IsMinimal(request, facts));
        foreach (var line in lines)
        {
            LogField[] fields = [.. line.Fields.Select(field => new LogField(field.Name, field.Value))];
            switch (line.Severity)
            {
                case CheckSeverity.Error:
                    Log.Error(line.Message, fields);
                    break;
                case CheckSeverity.Warning:
                    Log.Warn(line.Message, fields);
                    break;
                case CheckSeverity.Debug:
                    Log.Debug(line.Message, fields);
                    break;
                default:
                    Log.Info(line.Message, fields);
                    break;
            }
        }

        return start;
    }

    /// <summary>Starts a mode. One that the kernel refuses is reported and left out: the other one may still work.</summary>
    private static T? Try<T>(string mode, Func<T> start)
        where T : class
    {
        try
        {
            return start();
        }
        catch (BpfException failure)
        {
            Log.Debug("The whole log of the kernel", ("log", failure.Log));
            Log.Error($"{mode} did not start", ("error", failure.Message), ("help", "beyla capability test --probe tells what is missing"));
            return null;
        }
    }

    private static CountersReport Take(IEnumerable<ICounted> places)
    {
        // Kernels before 5.19 let nobody without it read a map.
        using var raised = Privilege.Raise(Capability.Bpf);
        return CountersReport.Take(places);
    }

    private static void Report(IEnumerable<ICounted> places)
    {
        var report = Take(places);
        if (Log.Format == LogFormat.Text)
        {
            Log.WriteText($"{report.ToText()}capabilities: {Privilege.Describe()}\n");
            return;
        }

        // Whoever asked for JSON reads every line as an object.
        foreach (var place in report.Places)
        {
            Log.Report(
                "Counters", ("place", place.Place), ("unit", place.Unit), ("produced", place.Produced), ("emitted", place.Emitted), ("aggregated", place.Aggregated),
                ("filtered", place.Filtered), ("lost", place.Lost), ("held", place.Held), ("balanced", place.Balanced ? "yes" : "no"));
        }

        Log.Report("Capabilities", ("held", Privilege.Describe()));
    }
}
