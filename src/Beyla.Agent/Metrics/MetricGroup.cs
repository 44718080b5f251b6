using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// Metrics of spans that a process which sends OpenTelemetry data itself is left out of together. Counts, once one was, how many spans
/// were. One thread.
/// </summary>
/// <param name="leftOut">By what.</param>
/// <param name="place">As what it counts.</param>
/// <param name="metrics">The metrics, each with the feature that a service has it by.</param>
internal sealed class MetricGroup(LeftOut leftOut, string place, (MetricFeatures Feature, ISpanMetrics Metrics)[] metrics) : ICounted
{
    private readonly PassCounter counter = new();

    /// <summary>The features of all its metrics.</summary>
    public MetricFeatures Features { get; } = metrics.Aggregate(MetricFeatures.None, static (sum, one) => sum | one.Feature);

    /// <summary>By what a process is left out of it.</summary>
    public LeftOut LeftOut => leftOut;

    /// <summary>Counts a span of such a process.</summary>
    public void LeaveOut() => counter.Note(passes: false);

    /// <summary>As <see cref="ISpanMetrics.OnSpan"/>, in those metrics that the service has.</summary>
    public void OnSpan(MetricFeatures features, in ExportedSpan span, ServiceResource service, MetricResource resource, in HostName host)
    {
        _ = counter.Note(passes: true);
        foreach (var (feature, one) in metrics)
        {
            if ((features & feature) != 0)
            {
                one.OnSpan(in span, service, resource, in host);
            }
        }
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count() => counter.HasFiltered ? [counter.Count(place, aggregates: true)] : [];
}
