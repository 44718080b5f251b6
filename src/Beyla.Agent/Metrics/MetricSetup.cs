using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>Puts together what is configured.</summary>
public sealed class MetricSetup
{
    /// <summary>Groups of metrics.</summary>
    public required MetricFeatures Features { get; init; }

    /// <summary>Bounds of durations, in seconds; null for those of the conventions of each metric.</summary>
    public IReadOnlyList<double>? Durations { get; init; }

    /// <summary>Whether calls of a service to itself are part of the service graph.</summary>
    public bool HasSelfReferences { get; init; }

    /// <summary>Makes what turns spans into metrics; null where no group of metrics needs spans.</summary>
    /// <param name="store">Keeps them.</param>
    /// <param name="services">The resources of processes.</param>
    public IExportStage? MakeStage(MetricStore store, ServiceResources services)
    {
        var durations = Durations ?? Buckets.Durations;
        List<ISpanMetrics> metrics = [];
        if (Features.HasFlag(MetricFeatures.Application))
        {
            metrics.Add(new HttpMetrics(store, durations));
            metrics.Add(new DatabaseMetrics(store, Durations ?? Buckets.Queries));
        }

        if ((Features & (MetricFeatures.ApplicationSpan | MetricFeatures.ApplicationSpanOtel | MetricFeatures.ApplicationSpanSizes)) != 0)
        {
            metrics.Add(new SpanMetrics(store, Features, durations));
        }

        if (Features.HasFlag(MetricFeatures.ApplicationServiceGraph))
        {
            metrics.Add(new ServiceGraph(store, durations, HasSelfReferences));
        }

        return metrics.Count == 0 ? null : new MetricStage(store, services, [.. metrics]);
    }
}
