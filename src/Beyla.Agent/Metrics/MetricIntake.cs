using Beyla.Agent.Configuration;
using Beyla.Agent.Flows;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;
using Beyla.Agent.Statistics;

namespace Beyla.Agent.Metrics;

/// <summary>
/// What spans, flows and TCP statistics are made into metrics by, and the store that keeps them for whoever reads or sends them.
/// </summary>
public sealed class MetricIntake
{
    /// <param name="configuration">What is configured.</param>
    /// <param name="services">The resources of processes.</param>
    /// <param name="host">Where the agent runs.</param>
    /// <param name="version">Version of the agent.</param>
    /// <param name="instrumented">Which processes are left out; null for none.</param>
    /// <param name="proc">How files of processes are read; null for what this process may itself.</param>
    public MetricIntake(
        AgentConfiguration configuration, ServiceResources services, HostIdentity host, string version,
        InstrumentedServices? instrumented = null, ProcReader? proc = null)
    {
        var metrics = configuration.Metrics;
        Store = new MetricStore(
            new MetricStoreOptions
            {
                Idle = IdleOf(metrics), ExpiresOfLiving = metrics.ExpiresOfLiving, Resources = metrics.Services,
                Attributes = configuration.Shaping.Attributes,
                Exemplars = metrics.Exemplars, IsRead = metrics.Port != 0, IsSent = metrics.Sent is not null,
                Exponential = metrics.Sent?.Exponential,
            },
            AgentResource.Of(host, version));
        if (!metrics.HidesBuild)
        {
            MetricSetup.AddBuild(Store, version);
        }

        if (metrics.IsWanted && metrics.Features.HasFlag(MetricFeatures.ApplicationHost))
        {
            MetricSetup.AddHost(Store, host.Id);
        }

        var setup = new MetricSetup
        {
            Features = metrics.Features, ServiceFeatures = metrics.ServiceFeatures, Durations = metrics.Durations,
            HasSelfReferences = metrics.HasSelfReferences,
            SpanNames = configuration.Shaping.MetricSpanNames, ProcessInterval = metrics.ProcessInterval,
            Instrumentations = metrics.Instrumentations, Proc = proc, Names = metrics.Names,
            UnresolvedClient = metrics.UnresolvedClient, UnresolvedServer = metrics.UnresolvedServer,
        };
        Stages = metrics.TakesSpans && setup.MakeStage(Store, services, instrumented) is { } stage ? [stage] : [];
        Flows = metrics.TakesFlows ? new FlowMetrics(Store, metrics.Features, configuration.Network) : null;
        Statistics = metrics.TakesStatistics
            ? new TcpMetrics(Store, metrics.Features, metrics.RoundTrips, configuration.Statistics.Cidrs) : null;
        Clock = Stages.Count == 0 && (Flows is not null || Statistics is not null) ? new MetricClock(Store) : null;
    }

    /// <summary>All series.</summary>
    public MetricStore Store { get; }

    /// <summary>Take spans; empty where no group of metrics needs them.</summary>
    public IReadOnlyList<IExportStage> Stages { get; }

    /// <summary>Takes flows; null where no group of metrics needs them.</summary>
    public IFlowSink? Flows { get; }

    /// <summary>Takes TCP statistics; null where no group of metrics needs them.</summary>
    public ITcpStatisticSink? Statistics { get; }

    /// <summary>Ends series where no stage takes spans and does so; null where none is to be ended, or one does.</summary>
    public IExportStage? Clock { get; }

    /// <summary>What ends by time alone must not end before it was sent.</summary>
    private static TimeSpan IdleOf(MetricsConfiguration metrics) =>
        metrics.Idle > TimeSpan.Zero && metrics.Sent is { } sent && metrics.Idle < 2 * sent.Interval ? 2 * sent.Interval : metrics.Idle;
}
