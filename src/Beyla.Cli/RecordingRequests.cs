using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Spans;
using Beyla.Agent.Spans.Routes;

namespace Beyla.Cli;

/// <summary>A recording becomes OTLP requests, which are sent or written. What reads it waits for what takes them.</summary>
internal sealed class RecordingRequests : RecordingTarget
{
    /// <summary>For what waits when somebody stops it, in milliseconds; as the agent has it at its end.</summary>
    private const int StopLimit = 1200;

    private readonly OtlpSender sender;
    private readonly OtlpTraces traces;
    private readonly ShapedStage shaped;

    /// <param name="kind">Whether they are sent or written.</param>
    /// <param name="configuration">What is configured.</param>
    /// <param name="signals">Is told when nobody reads what is written.</param>
    /// <param name="stop">Cancelled when nobody waits for the end any more.</param>
    public RecordingRequests(ExportKind kind, AgentConfiguration configuration, StopSignals signals, CancellationToken stop)
    {
        // OTEL_TRACES_EXPORTER=otlp/stdout is the other way to say the second kind.
        sender = kind == ExportKind.Otlp && configuration.Traces?.Otlp.Protocol != OtlpProtocol.JsonLines
            ? Sent(configuration, stop) : Written(configuration, signals, stop);
        var shaping = configuration.Shaping;
        var services = new ServiceResources(
            HostIdentity.Elsewhere(shaping.HostId, shaping.HostName), AgentVersion.Text, static _ => 0, shaping.ResourceAttributes);
        traces = new OtlpTraces(
            configuration.TracesOptions, services, sender, AgentVersion.Text, new Samplers(shaping.Sampler).IsSampled,
            shaping.Attributes);
        shaped = ShapedStage.Before(traces, IgnoredSignals.Traces, new RouteShaper(shaping.Routes), shaping.Filter);
        Stages = [shaped.First, services];
    }

    /// <inheritdoc/>
    public override string Name => sender.Target;

    /// <inheritdoc/>
    public override string LossReason => sender.LossReason;

    /// <inheritdoc/>
    public override IReadOnlyList<IExportStage> Stages { get; }

    /// <inheritdoc/>
    public override void Complete(CancellationToken stop)
    {
        shaped.First.HandOver();
        _ = sender.WaitUntilSettled(stop);
        shaped.First.Finish(Environment.TickCount64 + StopLimit);
    }

    /// <inheritdoc/>
    public override (long Delivered, long Lost, long Filtered) Count()
    {
        var (delivered, lost, held) = sender.Count();
        // What is still on its way has nobody any more who would wait for its answer.
        return (delivered, lost + held, shaped.Filtered + traces.Count().Sum(static place => place.Filtered));
    }

    /// <inheritdoc/>
    public override void Dispose() => traces.Dispose();

    private static OtlpSender Sent(AgentConfiguration configuration, CancellationToken stop)
    {
        if (configuration.Traces is not { } export)
        {
            throw new ConfigurationException(
                "there is no endpoint: set OTEL_EXPORTER_OTLP_ENDPOINT (otel_traces_export.endpoint), such as http://localhost:4318; "
                + "OTEL_TRACES_EXPORTER without otlp and OTEL_SDK_DISABLED=true switch it off; "
                + "or choose another output with --to otlp-json or --to prometheus");
        }

        var files = NamedFiles.Read(configuration.NamedFiles);
        string? TextOf(string path)
        {
            for (var number = 0; number < files.Count; number++)
            {
                if (configuration.NamedFiles[number].Path == path)
                {
                    return files[number];
                }
            }

            return null;
        }

        return Exports.HttpSender(export.Otlp, OtlpSignal.Traces, export.QueueSize, TextOf, stop);
    }

    /// <summary>A reader that is slow is waited for, for as long as it takes.</summary>
    private static OtlpSender Written(AgentConfiguration configuration, StopSignals signals, CancellationToken stop)
    {
        var lines = new OtlpJsonLines(1, OtlpSignal.Traces, () => signals.Request("standard output was closed"));
        var patient = new OtlpConfiguration { Endpoint = new Uri("file:///dev/stdout"), GiveUpAfter = TimeSpan.Zero };
        return new OtlpSender(lines, patient, OtlpSignal.Traces.Name, configuration.TracesOptions.QueueSize, stop);
    }
}
