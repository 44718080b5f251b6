using System.Globalization;
using Beyla.Agent.Configuration;
using Beyla.Agent.Metrics;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Writes all series of a store as OpenTelemetry has them: an ExportMetricsServiceRequest with one ResourceMetrics for each service
/// instance (opentelemetry/proto/metrics/v1/metrics.proto). The store counts from the beginning of each series; where points are to
/// count from the one before, what was sent is remembered, and series without news have no point. One thread.
/// </summary>
/// <param name="version">Version of the agent.</param>
/// <param name="temporality">From where points count.</param>
public sealed class MetricEncoder(string version, MetricTemporality temporality = MetricTemporality.Cumulative)
{
    // Fields of Metric by the kind of data, and AggregationTemporality.
    private const int Gauge = 5, Sum = 7, Histogram = 9, ExponentialHistogram = 10;
    private const ulong Delta = 1, Cumulative = 2;

    private static readonly byte[] OverflowName = AttributeWriter.Encode("otel.metric.overflow");

    private readonly byte[] scope = SharedMessages.Scope(version);
    private readonly HistogramEncoder histograms = new();
    private readonly Dictionary<string, byte[]> names = new(StringComparer.Ordinal);
    private long since; // when it was last confirmed, microseconds since 1970 (UTC)

    /// <summary>Writes the whole request. Under the lock of the store.</summary>
    /// <param name="store">The series.</param>
    /// <param name="writer">Where to.</param>
    /// <param name="now">Time of the points, microseconds since 1970 (UTC).</param>
    /// <returns>How many points it has.</returns>
    public int Write(MetricStore store, ProtobufWriter writer, long now)
    {
        var points = 0;
        foreach (var resource in store.Resources)
        {
            points += Resource(store, resource, writer, now);
        }

        return points;
    }

    /// <summary>
    /// What was written is on its way: from now on points of <see cref="MetricTemporality.Delta"/> count from there. Where nobody confirms,
    /// the next request has it too. Under the same hold of the lock.
    /// </summary>
    /// <param name="store">The series.</param>
    /// <param name="now">Time of the points.</param>
    public void Confirm(MetricStore store, long now)
    {
        since = now;
        foreach (var family in store.Families)
        {
            if (!CountsFromLast(family.Definition))
            {
                continue;
            }

            foreach (var series in family.Series)
            {
                (series.Sent ??= new SentValues()).Take(series);
            }
        }
    }

    /// <summary>Counters and histograms alone, whatever is preferred.</summary>
    private bool CountsFromLast(MetricDefinition definition) =>
        temporality != MetricTemporality.Cumulative && definition.Kind is MetricKind.Counter or MetricKind.Histogram
        && !(definition.IsObserved && temporality == MetricTemporality.LowMemory);

    private int Resource(MetricStore store, MetricResource resource, ProtobufWriter writer, long now)
    {
        var isAgent = resource == store.Agent;
        if (resource.Count == 0 && !(isAgent && store.Families.Any(static family => family.Overflow is not null)))
        {
            return 0;
        }

        var points = 0;
        var before = writer.Length;
        var all = writer.Begin(1);
        writer.Raw(resource.Encoded ??= SharedMessages.Resource(resource.Attributes));
        var scoped = writer.Begin(2);
        writer.Raw(scope);
        foreach (var family in store.Families)
        {
            points += Family(family, resource, isAgent ? family.Overflow : null, writer, now);
        }

        writer.End(scoped);
        writer.End(all);
        if (points == 0)
        {
            writer.Cut(before);
        }

        return points;
    }

    private int Family(MetricFamily family, MetricResource resource, Series? overflow, ProtobufWriter writer, long now)
    {
        var slots = resource.SlotsOf(family);
        if (overflow is null && slots.IsEmpty)
        {
            return 0;
        }

        var definition = family.Definition;
        var fromLast = CountsFromLast(definition);
        var before = writer.Length;
        var metric = writer.Begin(2);
        writer.Text(1, definition.Name);
        writer.Text(2, definition.Description);
        writer.Text(3, definition.Unit);
        var data = writer.Begin(definition.Kind switch
        {
            MetricKind.Gauge => Gauge,
            MetricKind.Counter or MetricKind.UpDownCounter => Sum,
            _ => family.IsExponential ? ExponentialHistogram : Histogram,
        });
        var points = 0;
        foreach (var series in slots)
        {
            if (series is not null && (!fromLast || HasNews(series)))
            {
                Point(series, fromLast, writer, now);
                points++;
            }
        }

        if (overflow is not null && (!fromLast || HasNews(overflow)))
        {
            Point(overflow, fromLast, writer, now);
            points++;
        }

        if (points == 0)
        {
            writer.Cut(before);
            return 0;
        }

        if (definition.Kind != MetricKind.Gauge)
        {
            writer.Number(2, fromLast ? Delta : Cumulative);
        }

        if (definition.Kind == MetricKind.Counter)
        {
            writer.Number(3, 1); // is_monotonic
        }

        writer.End(data);
        writer.End(metric);
        return points;
    }

    private static bool HasNews(Series series) => series.Count != (series.Sent?.Count ?? 0);

    /// <summary>
    /// The last request, since what is new was told after it, whenever it began; a value that is read for the first time has all from its
    /// own beginning. A clock that was set back makes no point that ends before it begins.
    /// </summary>
    private long StartOf(Series series, long now)
    {
        var start = series.Sent is null && series.Family.Definition.IsObserved ? series.Start : Math.Max(series.Start, since);
        return Math.Min(start, now);
    }

    private void Point(Series series, bool fromLast, ProtobufWriter writer, long now)
    {
        var sent = fromLast ? series.Sent : null;
        var start = fromLast ? StartOf(series, now) : series.Start;
        var point = writer.Begin(1);
        writer.Fixed(2, (ulong)start * 1000);
        writer.Fixed(3, (ulong)now * 1000);
        var (exemplars, attributes) = (fromLast ? start : 0, 7);
        if (series.Exponential is not null)
        {
            attributes = 1;
            histograms.Exponential(series, sent, exemplars, writer);
        }
        else if (series.Counts is not null)
        {
            attributes = 9;
            HistogramEncoder.Explicit(series, sent, exemplars, writer);
        }
        else
        {
            Value(series.Family.Definition.Scale, series.Sum - (sent?.Sum ?? 0), writer);
        }

        Attributes(series, attributes, writer);
        writer.End(point);
    }

    private static void Value(long scale, long sum, ProtobufWriter writer)
    {
        if (scale > 1)
        {
            writer.Double(4, sum / (double)scale);
        }
        else
        {
            writer.Fixed(6, (ulong)sum);
        }
    }


    private void Attributes(Series series, int field, ProtobufWriter writer)
    {
        if (series.IsOverflow)
        {
            // KeyValue with an AnyValue whose bool_value, field 2, is true.
            var overflow = writer.Begin(field);
            writer.Raw(OverflowName);
            writer.Blob(2, [2 << 3, 1]);
            writer.End(overflow);
            return;
        }

        var attributes = series.Family.Definition.Attributes;
        for (var i = 0; i < attributes.Count; i++)
        {
            var value = series.Value(i);
            if (value.IsEmpty)
            {
                continue;
            }

            var name = NameOf(attributes[i].Name);
            if (attributes[i].IsNumber && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                AttributeWriter.Number(writer, field, name, number);
            }
            else
            {
                AttributeWriter.Text(writer, field, name, value);
            }
        }
    }

    private byte[] NameOf(string attribute)
    {
        if (!names.TryGetValue(attribute, out var name))
        {
            names.Add(attribute, name = AttributeWriter.Encode(attribute));
        }

        return name;
    }
}
