using System.Text;
using Beyla.Agent.Counting;

namespace Beyla.Agent.Metrics;

/// <summary>
/// What the agent's own stages have counted, as metrics for who sends them (<c>internal_metrics.exporter: otel</c>): the names are those of
/// the page about the agent itself. Called by one thread.
/// </summary>
/// <param name="store">Keeps them.</param>
public sealed class StageMetrics(MetricStore store)
{
    private readonly MetricFamily items = Add(store, "beyla.pipeline.items", MetricKind.Counter,
        "What became of what reached a place of the agent.", "place", "unit", "outcome");

    private readonly MetricFamily held = Add(store, "beyla.pipeline.held", MetricKind.UpDownCounter,
        "What is in a place of the agent at this moment.", "place", "unit");

    private readonly long begun = MetricStore.Time;

    /// <summary>Takes the counters; null until all stages are there.</summary>
    public Func<IReadOnlyList<PlaceCounters>>? Source { get; set; }

    /// <summary>Measures now. Not under the lock of the store: stages that count may wait for others.</summary>
    public void Measure()
    {
        if (Source?.Invoke() is not { } rows)
        {
            return;
        }

        using (store.Enter())
        {
            // Several parts of the agent may count for one place.
            foreach (var place in rows.GroupBy(static row => (row.Place, row.Unit)))
            {
                Set(items, place.Key, "emitted"u8, place.Sum(static row => row.Emitted));
                Set(items, place.Key, "aggregated"u8, place.Sum(static row => row.Aggregated));
                Set(items, place.Key, "filtered"u8, place.Sum(static row => row.Filtered));
                Set(items, place.Key, "lost"u8, place.Sum(static row => row.Lost));
                Set(held, place.Key, default, place.Sum(static row => row.Held));
            }
        }
    }

    private void Set(MetricFamily family, (string Place, string Unit) place, ReadOnlySpan<byte> outcome, long count)
    {
        var key = store.BeginKey();
        key.Add(Encoding.UTF8.GetBytes(place.Place));
        key.Add(Encoding.UTF8.GetBytes(place.Unit));
        if (family == items)
        {
            key.Add(outcome);
        }

        store.Of(family, store.Agent, in key, begun).Set(count);
    }

    private static MetricFamily Add(
        MetricStore store, string name, MetricKind kind, string description, params MetricAttribute[] attributes) =>
        store.Add(new MetricDefinition
        {
            Name = name, Kind = kind, Description = description, Attributes = attributes, IsObserved = true, IsLasting = true,
        });
}
