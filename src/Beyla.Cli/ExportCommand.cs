using System.Globalization;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Recording;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Spans;

namespace Beyla.Cli;

/// <summary><c>beyla export</c>: a recording of the stream goes to where the agent sends its own spans. It needs no capability.</summary>
internal static class ExportCommand
{
    /// <summary>The word for it on the command line.</summary>
    public const string Name = "export";

    /// <summary>The text of <c>beyla export --help</c>.</summary>
    public const string Help = """
        usage: beyla export [--to otlp|otlp-json|prometheus] [--config FILE] [--set KEY=VALUE] ... < RECORDING

        Reads lines that BEYLA_TRACE_PRINTER=json beyla has written, and exports the spans among them.

        --to otlp        (default) sends them to OTEL_EXPORTER_OTLP_ENDPOINT; waits until all are delivered or given up
        --to otlp-json   writes OTLP JSON to standard output, one request per line
        --to prometheus  writes one page of the metrics made of them (metrics.features) to standard output

        Variables and settings are those of the agent: OTEL_EXPORTER_OTLP_*, otel_traces_export, routes, filter, metrics.
        It needs no capability and gives up all that it has. docs/export.md says more.

        exit codes: 0 all delivered; 1 something was lost, or it was stopped before the end; 2 bad usage or configuration

        Example: beyla --open-port 8080 --trace-printer json > web.jsonl
                 OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 beyla export < web.jsonl

        """;

    private const int StandardInput = 0;

    /// <summary>Runs it.</summary>
    /// <param name="loaded">The configuration, which need not be one that an agent can start with.</param>
    /// <param name="arguments">What comes after <c>export</c>.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="ConfigurationException">The options or the configuration cannot be used.</exception>
    public static int Run(LoadedConfiguration loaded, IReadOnlyList<string> arguments)
    {
        var kind = ExportOptions.Parse(arguments);
        var configuration = loaded.Configuration;
        Log.Configure(configuration.LogLevel, configuration.LogFormat);
        foreach (var warning in loaded.Warnings)
        {
            Log.Warn("Configuration", ("warning", warning));
        }

        if (!Console.IsInputRedirected)
        {
            throw new ConfigurationException("standard input is a terminal: give it a recording, beyla export < FILE");
        }

        using var stopping = new CancellationTokenSource();
        using var signals = new StopSignals(withParent: false);
        signals.OnRequest(stopping.Cancel);
        using var target = RecordingTarget.Make(kind, configuration, signals, stopping.Token);
        var reader = Read(configuration, target, stopping.Token);
        // Whoever stops it when all has been read stops the wait for the receiver.
        var isWhole = !stopping.IsCancellationRequested;
        target.Complete(stopping.Token);
        return Report(reader, target, isWhole ? "" : signals.Reason);
    }

    private static RecordingReader Read(AgentConfiguration configuration, RecordingTarget target, CancellationToken stop)
    {
        var shaping = configuration.Shaping;
        using var stream = new AgentStream(new WaitingStream(StandardInput, target.Idle, stop), isPart: true);
        var reader = new RecordingReader(
            stream, new RecordedSpans(HostIdentity.Elsewhere(shaping.HostId, shaping.HostName), target.Stages));
        reader.Run(stop);
        return reader;
    }

    private static int Report(RecordingReader reader, RecordingTarget target, string stopped)
    {
        var (delivered, lost, filtered) = target.Count();
        if (filtered > 0)
        {
            Log.Info(
                "Spans were left out: by the sampler, the protocols that are exported, ignored routes, or filter.application",
                ("filtered", filtered));
        }

        List<string> reasons = [];
        if (reader.BadLines > 0)
        {
            reasons.Add(string.Create(CultureInfo.InvariantCulture, $"{reader.BadLines} bad lines"));
        }

        if (lost > 0)
        {
            reasons.Add(string.Create(CultureInfo.InvariantCulture, $"{lost} not taken by {target.Name} ({target.LossReason})"));
        }

        if (reader.Failure is { } failure)
        {
            reasons.Add(failure);
        }

        if (stopped.Length > 0)
        {
            reasons.Add($"stopped before the end of the recording ({stopped})");
        }

        var line = string.Create(CultureInfo.InvariantCulture, $"beyla: exported {delivered} spans");
        if (reasons.Count > 0)
        {
            line += string.Create(
                CultureInfo.InvariantCulture, $", lost {lost + reader.BadLines}: {LogText.Escape(string.Join("; ", reasons))}");
        }

        Log.WriteText(line + "\n");
        return reasons.Count == 0 ? ExitCode.Stopped : ExitCode.Failed;
    }
}
