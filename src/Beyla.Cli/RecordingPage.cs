using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Prometheus;
using Beyla.Agent.Linux;
using Beyla.Agent.Metrics;
using Beyla.Agent.Spans;
using Beyla.Agent.Spans.Routes;

namespace Beyla.Cli;

/// <summary>A recording becomes one page of metrics on standard output.</summary>
internal sealed class RecordingPage : RecordingTarget
{
    private const int StandardOutput = 1;

    private readonly MetricIntake intake;
    private readonly ShapedStage shaped;
    private readonly SpanTally tally = new();
    private string lossReason = "";

    /// <param name="configuration">What is configured; a port is not needed, nor opened.</param>
    public RecordingPage(AgentConfiguration configuration)
    {
        // A process of a recording is over, and the number of it may be another's here.
        var features = configuration.Metrics.Features & MetricFeatures.OfSpans & ~MetricFeatures.ApplicationProcess;
        if (features == 0)
        {
            throw new ConfigurationException("metrics.features names no metrics that are made of spans, such as application");
        }

        var shaping = configuration.Shaping;
        // Nothing ends by time: what is old in a recording is no older than the rest. The same recording is always the same page, so that
        // who writes it, another process each time, is not on it.
        var metrics = configuration.Metrics with
        {
            IsWritten = true, Port = 0, Sent = null, Idle = TimeSpan.Zero, HidesBuild = true, Features = features,
            Names = null, ServiceFeatures = MetricFeatures.None,
        };
        var services = new ServiceResources(
            HostIdentity.Elsewhere(shaping.HostId, shaping.HostName), AgentVersion.Text, static _ => 0, shaping.ResourceAttributes);
        intake = new MetricIntake(
            configuration with { Metrics = metrics }, services, HostIdentity.Read(shaping.HostId, shaping.HostName), AgentVersion.Text);
        shaped = ShapedStage.Before(intake.Stages[0], IgnoredSignals.Metrics, new RouteShaper(shaping.Routes), shaping.Filter);
        Stages = [tally, shaped.First, services];
    }

    /// <inheritdoc/>
    public override string Name => "standard output";

    /// <inheritdoc/>
    public override string LossReason => lossReason;

    /// <inheritdoc/>
    public override IReadOnlyList<IExportStage> Stages { get; }

    /// <summary>Nothing is due: series end by the clock, and here they do not end.</summary>
    public override int Idle() => int.MaxValue;

    /// <inheritdoc/>
    public override void Complete(CancellationToken stop)
    {
        using var page = new PageBuffer();
        new MetricsPage(intake.Store).Write(page, PageFormat.Text);
        _ = new WaitingOutput(StandardOutput).TryWrite(page.Written, stop, out lossReason);
    }

    /// <inheritdoc/>
    public override (long Delivered, long Lost, long Filtered) Count()
    {
        var leftOut = shaped.Filtered;
        var counted = tally.Spans - leftOut;
        return lossReason.Length == 0 ? (counted, 0, leftOut) : (0, counted, leftOut);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
    }

    /// <summary>Counts what came.</summary>
    private sealed class SpanTally : IExportStage
    {
        public long Spans { get; private set; }

        public void OnSpan(in ExportedSpan span) => Spans++;

        public long Tick(long now) => long.MaxValue;

        public void Finish(long deadline)
        {
        }
    }
}
