using System.Text.Json;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// A point of a metric as the receiver decoded it (opentelemetry-proto, metrics.proto), with the metric and resource that it came under.
/// </summary>
/// <param name="Type"><c>gauge</c>, <c>sum</c>, <c>histogram</c> or <c>exponentialHistogram</c>.</param>
/// <param name="Temporality">1 delta, 2 cumulative; 0 for a gauge.</param>
/// <param name="Start">Nanoseconds since 1970; 0 where there is none.</param>
/// <param name="Time">Nanoseconds since 1970.</param>
/// <param name="Value">Of a gauge or sum: long or double as it was sent; null for a histogram.</param>
/// <param name="Count">Observations of a histogram.</param>
/// <param name="Sum">Their sum.</param>
/// <param name="Bounds">Upper bounds of all buckets but the last.</param>
/// <param name="Buckets">Observations of each bucket, not accumulated; of an exponential histogram its positive ones.</param>
/// <param name="Exemplars">Trace id, span id and value of each exemplar.</param>
/// <param name="Json">The point itself, for what stands nowhere else.</param>
internal sealed record OtlpPoint(
    string Metric, string Unit, string Description, string Type, int Temporality, bool Monotonic,
    IReadOnlyDictionary<string, object> Attributes, IReadOnlyDictionary<string, object> Resource, long Start, long Time, object? Value,
    long Count, double Sum, IReadOnlyList<double> Bounds, IReadOnlyList<long> Buckets,
    IReadOnlyList<(string Trace, string Span, double Value)> Exemplars, JsonElement Json)
{
    private static readonly string[] Types = ["gauge", "sum", "histogram", "exponentialHistogram"];

    /// <summary>The points of a request, flattened.</summary>
    public static IEnumerable<OtlpPoint> Of(OtlpRequest request)
    {
        foreach (JsonElement group in OtlpRequest.List(request.Body, "resourceMetrics"))
        {
            IReadOnlyDictionary<string, object> resource = OtlpRequest.Optional(group, "resource") is { } found
                ? OtlpValue.Attributes(found) : new Dictionary<string, object>(StringComparer.Ordinal);
            foreach (JsonElement metric in OtlpRequest.List(group, "scopeMetrics").SelectMany(scope => OtlpRequest.List(scope, "metrics")))
            {
                string type = Assert.Single(Types, name => OtlpRequest.Optional(metric, name) is not null);
                JsonElement data = metric.GetProperty(type);
                foreach (JsonElement point in OtlpRequest.List(data, "dataPoints"))
                {
                    yield return Read(metric, type, data, point, resource);
                }
            }
        }
    }

    private static OtlpPoint Read(
        JsonElement metric, string type, JsonElement data, JsonElement point, IReadOnlyDictionary<string, object> resource)
    {
        JsonElement counts = OtlpRequest.Optional(point, "positive") ?? point;
        return new OtlpPoint(
            OtlpValue.Text(metric, "name"), OtlpValue.Text(metric, "unit"), OtlpValue.Text(metric, "description"), type,
            OtlpValue.Int(data, "aggregationTemporality"), OtlpRequest.Optional(data, "isMonotonic")?.GetBoolean() ?? false,
            OtlpValue.Attributes(point), resource, OtlpValue.Long(point, "startTimeUnixNano"), OtlpValue.Long(point, "timeUnixNano"),
            Number(point), OtlpValue.Long(point, "count"), OtlpRequest.Optional(point, "sum") is { } sum ? OtlpValue.Double(sum) : 0,
            [.. OtlpRequest.List(point, "explicitBounds").Select(OtlpValue.Double)],
            [.. OtlpRequest.List(counts, "bucketCounts").Select(OtlpValue.Long)],
            [.. OtlpRequest.List(point, "exemplars").Select(exemplar => (
                OtlpValue.Id(exemplar, "traceId", 16, required: false), OtlpValue.Id(exemplar, "spanId", 8, required: false),
                Convert.ToDouble(Number(exemplar), System.Globalization.CultureInfo.InvariantCulture)))],
            point);
    }

    private static object? Number(JsonElement point) => OtlpRequest.Optional(point, "asInt") is { } whole ? OtlpValue.Long(whole)
        : OtlpRequest.Optional(point, "asDouble") is { } real ? OtlpValue.Double(real) : null;
}
