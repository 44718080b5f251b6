using Beyla.Agent.Counting;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// Metrics of spans that a process which sends OpenTelemetry data itself is left out of together. Counts, once one was, how many spans
/// were. One thread.
/// </summary>
/// <param name="leftOut">By what.</param>
/// <param name="place">As what it counts.</param>
/// <param name="metrics">The metrics.</param>
internal sealed class MetricGroup(LeftOut leftOut, string place, ISpanMetrics[] metrics) : ICounted
{
    private readonly PassCounter counter = new();

    /// <summary>By what a process is left out of it.</summary>
    public LeftOut LeftOut => leftOut;

    /// <summary>Counts a span of such a process.</summary>
    public void LeaveOut() => counter.Note(passes: false);

    /// <inheritdoc cref="ISpanMetrics.OnSpan"/>
    public void OnSpan(in ExportedSpan span, ServiceResource service, MetricResource resource, in HostName host)
    {
        _ = counter.Note(passes: true);
        foreach (var one in metrics)
        {
            one.OnSpan(in span, service, resource, in host);
        }
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count() => counter.HasFiltered ? [counter.Count(place, aggregates: true)] : [];
}
