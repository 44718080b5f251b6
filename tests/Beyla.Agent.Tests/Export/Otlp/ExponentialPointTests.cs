using System.Text.Json;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Tests.Metrics;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>
/// Points of exponential histograms (opentelemetry/proto/metrics/v1/metrics.proto, ExponentialHistogramDataPoint) in the JSON form of OTLP.
/// At scale 0 the bounds are the powers of two: half a second is in bucket -2, a second in -1, two seconds in 0, 3 to 4 seconds in 1.
/// </summary>
public sealed class ExponentialPointTests
{
    private const long First = 1_900_000_000_000_000, Second = First + 60_000_000, Third = Second + 60_000_000;

    [Theory]
    [InlineData(true)] // beside the page
    [InlineData(false)]
    public void A_point_has_scale_zeros_and_buckets(bool isRead)
    {
        var rig = Rig(isRead, maxScale: 0);
        Add(rig, 0, 500_000, 1_000_000, 2_000_000, 2_000_000);
        var metric = Assert.Single(Write(rig, new MetricEncoder("1"), First));
        Assert.Equal("http.client.request.duration", metric.GetProperty("name").GetString());
        var data = metric.GetProperty("exponentialHistogram");
        Assert.Equal(2, data.GetProperty("aggregationTemporality").GetInt32());
        var point = Assert.Single(data.GetProperty("dataPoints").EnumerateArray());
        AssertIs(point, """
            {"count":"5","sum":5.5,"scale":0,"zeroCount":"1","positive":{"offset":-2,"bucketCounts":["1","1","2"]}}
            """);
        Assert.Equal("1900000000000000000", point.GetProperty("timeUnixNano").GetString());
        Assert.Contains(point.GetProperty("attributes").EnumerateArray(),
            static attribute => attribute.GetProperty("key").GetString() == "server.address");

        var series = Assert.Single(rig.Store.Families[1].Series.Concat(rig.Store.Families[2].Series));
        Assert.Equal(isRead, series.Counts is not null);
        if (isRead)
        {
            // The page has its bounds, whatever is sent.
            Assert.Equal(2, rig.One("http_client_request_duration_seconds_bucket", "le=\"0.5\""));
            Assert.Equal(3, rig.One("http_client_request_duration_seconds_bucket", "le=\"1.0\""));
            Assert.Equal(5, rig.One("http_client_request_duration_seconds_count"));
        }
    }

    [Fact]
    public void Zeros_alone_have_no_buckets()
    {
        var rig = Rig(isRead: false, maxScale: 20);
        Add(rig, 0);
        AssertIs(Point(Write(rig, new MetricEncoder("1"), First)), """{"count":"1","sum":0,"scale":20,"zeroCount":"1"}""");
    }

    /// <summary>At scale 20 a second alone is the one bucket -1; with half a second and four, 160 buckets are 2^5 a power of two.</summary>
    [Fact]
    public void A_point_from_the_request_before_has_what_came_since_at_the_scale_of_now()
    {
        var (rig, encoder) = (Rig(isRead: false, maxScale: 20), new MetricEncoder("1", MetricTemporality.Delta));
        Add(rig, 1_000_000, 1_000_000);
        var first = Point(Write(rig, encoder, First));
        AssertIs(first, """{"count":"2","sum":2,"scale":20,"zeroCount":"0","positive":{"offset":-1,"bucketCounts":["2"]}}""");
        encoder.Confirm(rig.Store, First);

        Add(rig, 500_000, 4_000_000, 4_000_000, 0);
        var metric = Assert.Single(Write(rig, encoder, Second));
        Assert.Equal(1, metric.GetProperty("exponentialHistogram").GetProperty("aggregationTemporality").GetInt32());
        var second = metric.GetProperty("exponentialHistogram").GetProperty("dataPoints")[0];
        var counts = Counts(second);
        // From 0.5, the last value of bucket -2^5 - 1, to 4, that of 2 * 2^5 - 1.
        Assert.Equal((5, -33, 97, 1L, 2L, 3L), (
            second.GetProperty("scale").GetInt32(), second.GetProperty("positive").GetProperty("offset").GetInt32(), counts.Length,
            counts[0], counts[^1], counts.Sum()));
        Assert.Equal(("4", 8.5, "1"), (
            second.GetProperty("count").GetString(), second.GetProperty("sum").GetDouble(), second.GetProperty("zeroCount").GetString()));
        Assert.Equal("1900000000000000000", second.GetProperty("startTimeUnixNano").GetString());
        encoder.Confirm(rig.Store, Second);

        Assert.Empty(Write(rig, encoder, Third));
        Add(rig, 1_000_000);
        AssertIs(Point(Write(rig, encoder, Third)), """
            {"count":"1","sum":1,"scale":5,"zeroCount":"0","positive":{"offset":-1,"bucketCounts":["1"]}}
            """);
    }

    [Theory]
    [InlineData(true, ExemplarFilter.TraceBased, 2)]
    [InlineData(false, ExemplarFilter.TraceBased, 2)]
    [InlineData(true, ExemplarFilter.AlwaysOff, 0)]
    [InlineData(false, ExemplarFilter.AlwaysOff, 0)]
    public void Exemplars_are_the_last_of_each_part_of_the_range(bool isRead, ExemplarFilter filter, int count)
    {
        var rig = Rig(isRead, maxScale: 20, filter);
        rig.Add(Samples.Client with { Context = Samples.Client.Context with { Flags = 0xff, SpanId = 1 } }, 1_000L);
        rig.Add(Samples.Client with { Context = Samples.Client.Context with { SpanId = 2 } }, 2_000L);
        rig.Add(Samples.Client with { Context = Samples.Client.Context with { SpanId = 3 } }, 60_000_000L);
        rig.Add(Samples.Client with { Context = Samples.Client.Context with { Flags = 0, SpanId = 4 } }, 61_000_000L); // not sampled
        var point = Point(Write(rig, new MetricEncoder("1"), First));
        JsonElement[] exemplars = point.TryGetProperty("exemplars", out var list) ? [.. list.EnumerateArray()] : [];
        Assert.Equal(count, exemplars.Length);
        Assert.Equal(
            count == 0 ? [] : [("0000000000000002", 0.002), ("0000000000000003", 60.0)],
            exemplars.Select(static one => (one.GetProperty("spanId").GetString()!, one.GetProperty("asDouble").GetDouble())));
        Assert.All(exemplars, static one =>
            Assert.Equal("4bf92f3577b34da6a3ce929d0e0e4736", one.GetProperty("traceId").GetString()));
    }

    [Fact]
    public void An_exemplar_is_told_once()
    {
        var (rig, encoder) = (Rig(isRead: false, maxScale: 20), new MetricEncoder("1", MetricTemporality.Delta));
        rig.Add(Samples.Client);
        Assert.Equal(1, Point(Write(rig, encoder, First)).GetProperty("exemplars").GetArrayLength());
        encoder.Confirm(rig.Store, First);
        rig.Add(Samples.Client with { Context = default }); // of no trace
        Assert.False(Point(Write(rig, encoder, Second)).TryGetProperty("exemplars", out _));
    }

    [Fact]
    public void What_finds_no_room_is_counted_in_one_series()
    {
        var rig = new MetricRig(options: new() { IsRead = false, Cardinality = 1, Exponential = new(160, 0) });
        Add(rig, 1_000_000);
        foreach (var status in (int[])[404, 500])
        {
            rig.Add(Samples.Client.With(SpanAttribute.HttpResponseStatusCode, status), 2_000_000L);
        }

        var points = Write(rig, new MetricEncoder("1"), First).Where(static metric => metric.TryGetProperty("exponentialHistogram", out _))
            .SelectMany(static metric => metric.GetProperty("exponentialHistogram").GetProperty("dataPoints").EnumerateArray());
        var overflow = Assert.Single(points, static point => point.GetProperty("attributes").EnumerateArray()
            .Any(static attribute => attribute.GetProperty("key").GetString() == "otel.metric.overflow"));
        AssertIs(overflow, """{"count":"2","sum":4,"scale":0,"zeroCount":"0","positive":{"offset":0,"bucketCounts":["2"]}}""");
    }

    /// <summary>What is no histogram is what it was.</summary>
    [Fact]
    public void Counters_stay_sums()
    {
        var rig = new MetricRig(MetricFeatures.ApplicationSpan, new() { IsRead = false, Exponential = new(160, 20) });
        rig.Add(Samples.Client);
        var metrics = Write(rig, new MetricEncoder("1"), First).ToDictionary(static metric => metric.GetProperty("name").GetString()!);
        Assert.Equal("1", metrics["traces_spanmetrics_calls"].GetProperty("sum").GetProperty("dataPoints")[0].GetProperty("asInt")
            .GetString());
        Assert.True(metrics["traces_spanmetrics_latency"].TryGetProperty("exponentialHistogram", out _));
    }

    private static MetricRig Rig(bool isRead, int maxScale, ExemplarFilter filter = ExemplarFilter.TraceBased) =>
        new(options: new() { IsRead = isRead, Exemplars = filter, Exponential = new ExponentialHistograms(160, maxScale) });

    private static void Add(MetricRig rig, params long[] durations)
    {
        foreach (var duration in durations)
        {
            rig.Add(Samples.Client, duration);
        }
    }

    private static JsonElement Point(JsonElement[] metrics) =>
        Assert.Single(Assert.Single(metrics).GetProperty("exponentialHistogram").GetProperty("dataPoints").EnumerateArray());

    private static long[] Counts(JsonElement point) => [.. point.GetProperty("positive").GetProperty("bucketCounts").EnumerateArray()
        .Select(static count => long.Parse(count.GetString()!, System.Globalization.CultureInfo.InvariantCulture))];

    /// <summary>The point without its times, attributes and exemplars.</summary>
    private static void AssertIs(JsonElement point, string expected)
    {
        var rest = JsonSerializer.SerializeToElement(point.EnumerateObject()
            .Where(static field => field.Name is not ("startTimeUnixNano" or "timeUnixNano" or "attributes" or "exemplars"))
            .ToDictionary(static field => field.Name, static field => field.Value));
        using var right = JsonDocument.Parse(expected);
        Assert.True(JsonElement.DeepEquals(right.RootElement, rest), rest.ToString());
    }

    private static JsonElement[] Write(MetricRig rig, MetricEncoder encoder, long now)
    {
        var writer = new ProtobufWriter();
        using (rig.Store.Enter())
        {
            encoder.Write(rig.Store, writer, now);
            if (writer.Length == 0)
            {
                return [];
            }

            var request = JsonSerializer.Deserialize<JsonElement>(OtlpJson.Encode(writer.Written, OtlpSignal.Metrics).Span);
            return [.. request.GetProperty("resourceMetrics").EnumerateArray()
                .SelectMany(static resource => resource.GetProperty("scopeMetrics").EnumerateArray())
                .SelectMany(static scope => scope.GetProperty("metrics").EnumerateArray())];
        }
    }
}
