using System.Globalization;
using System.Text.Json;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Metrics;
using Beyla.Agent.Tests.Metrics;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>
/// Points that count from the point before (OpenTelemetry specification, "Metrics Data Model", "Temporality"; "Metrics Exporter - OTLP",
/// "Temporality preference"): their sum is what happened, and their times follow one another without a gap.
/// </summary>
public sealed class TemporalityTests
{
    // Wall clock of the samples: no point is earlier than what was measured.
    private const long Begin = 1_000_000, First = 1_900_000_000_000_000, Second = First + 60_000_000, Third = Second + 60_000_000;

    [Fact]
    public void A_histogram_counts_from_the_request_before()
    {
        var (rig, encoder) = (new MetricRig(), new MetricEncoder("1", MetricTemporality.Delta));
        rig.Add(Samples.Client, 4_000L);
        rig.Add(Samples.Client, 6_000L);
        var first = Assert.Single(Write(rig.Store, encoder, First));
        // 4 ms and 6 ms; the bounds of the conventions begin with 5 ms and 10 ms.
        Assert.Equal((1, 2L, 0.01, "1 1 0 0 0 0 0 0 0 0 0 0 0 0 0"), (first.Temporality, first.Count, first.Sum, first.Buckets));
        Assert.True(first.Start < First * 1000);
        Assert.Equal(First * 1000, first.Time);
        encoder.Confirm(rig.Store, First);

        rig.Add(Samples.Client, 7_000L);
        rig.Add(Samples.Client, 20_000_000L);
        var second = Assert.Single(Write(rig.Store, encoder, Second));
        Assert.Equal((1, 2L, 20.007, "0 1 0 0 0 0 0 0 0 0 0 0 0 0 1"), (second.Temporality, second.Count, second.Sum, second.Buckets));
        Assert.Equal((First * 1000, Second * 1000), (second.Start, second.Time));
        encoder.Confirm(rig.Store, Second);

        // Whose series has no news has no point, and what stands around it is not there either.
        Assert.Empty(Write(rig.Store, encoder, Third));
        Assert.Equal(4, rig.One("http_client_request_duration_seconds_count")); // the page counts from the beginning
    }

    [Fact]
    public void A_series_that_begins_later_begins_there_and_one_that_pauses_goes_on_from_the_last_request()
    {
        var (rig, encoder) = (new MetricRig(), new MetricEncoder("1", MetricTemporality.Delta));
        rig.Add(Samples.Client);
        _ = Write(rig.Store, encoder, First);
        encoder.Confirm(rig.Store, First);
        rig.Add(Samples.Broken);
        Assert.Equal((First * 1000, 1L), (Assert.Single(Write(rig.Store, encoder, Second)) is var one ? one.Start : 0, one.Count));
        encoder.Confirm(rig.Store, Second);
        rig.Add(Samples.Client);
        Assert.Equal((Second * 1000, 1L), (Assert.Single(Write(rig.Store, encoder, Third)) is var other ? other.Start : 0, other.Count));
    }

    [Fact]
    public void What_is_not_on_its_way_is_in_the_next_request()
    {
        var (rig, encoder) = (new MetricRig(), new MetricEncoder("1", MetricTemporality.Delta));
        rig.Add(Samples.Client);
        _ = Write(rig.Store, encoder, First);
        encoder.Confirm(rig.Store, First);
        rig.Add(Samples.Client);
        Assert.Equal(1, Assert.Single(Write(rig.Store, encoder, Second)).Count);
        rig.Add(Samples.Client);
        var third = Assert.Single(Write(rig.Store, encoder, Third));
        Assert.Equal((2L, First * 1000), (third.Count, third.Start));
    }

    [Fact]
    public void A_clock_that_was_set_back_makes_no_point_that_ends_before_it_begins()
    {
        var (rig, encoder) = (new MetricRig(), new MetricEncoder("1", MetricTemporality.Delta));
        rig.Add(Samples.Client);
        _ = Write(rig.Store, encoder, Second);
        encoder.Confirm(rig.Store, Second);
        rig.Add(Samples.Client);
        var point = Assert.Single(Write(rig.Store, encoder, First));
        Assert.Equal((First * 1000, First * 1000), (point.Start, point.Time));
    }

    /// <summary>Of the exemplars only those of the time that the point is about.</summary>
    [Fact]
    public void An_exemplar_is_told_once()
    {
        var (rig, encoder) = (new MetricRig(), new MetricEncoder("1", MetricTemporality.Delta));
        rig.Add(Samples.Client);
        Assert.Equal(1, Assert.Single(Write(rig.Store, encoder, First)).Exemplars);
        encoder.Confirm(rig.Store, First);
        rig.Add(Samples.Client with { Context = default }); // of no trace
        var point = Assert.Single(Write(rig.Store, encoder, Second));
        Assert.Equal((1L, 0), (point.Count, point.Exemplars));
    }

    [Theory]
    [InlineData(MetricTemporality.Cumulative, 2, 2, 2)]
    [InlineData(MetricTemporality.Delta, 1, 1, 1)]
    [InlineData(MetricTemporality.LowMemory, 1, 2, 1)]
    public void The_preference_is_about_counters_and_histograms(
        MetricTemporality preference, int counter, int observed, int histogram)
    {
        var rig = new MetricRig();
        rig.Add(Samples.Client);
        Add("c", MetricKind.Counter, isObserved: false).Add(5);
        Add("o", MetricKind.Counter, isObserved: true).Add(7);
        Add("g", MetricKind.Gauge, isObserved: false).Set(9);
        var encoder = new MetricEncoder("1", preference);
        for (var time = First; time < Third; time += Second - First)
        {
            var points = Write(rig.Store, encoder, time).ToDictionary(static point => point.Metric);
            encoder.Confirm(rig.Store, time);
            var isFirst = time == First;
            Assert.Equal((0, 9L), (points["g"].Temporality, points["g"].Value));
            AssertPoint("c", counter, 5);
            AssertPoint("o", observed, 7);
            AssertPoint("http.client.request.duration", histogram, 0);

            void AssertPoint(string name, int temporality, long value)
            {
                // Without news a point that counts from the last one is none.
                Assert.Equal(isFirst || temporality == 2, points.TryGetValue(name, out var point));
                if (isFirst || temporality == 2)
                {
                    Assert.Equal((temporality, value), (point.Temporality, point.Value));
                }
            }
        }

        Series Add(string name, MetricKind kind, bool isObserved) => TemporalityTests.Add(rig.Store, new MetricDefinition
        {
            Name = name, Kind = kind, IsObserved = isObserved, Description = "", Attributes = [],
        });
    }

    /// <summary>As the processor time of a process that had begun long before: the first point has all of it.</summary>
    [Fact]
    public void What_is_read_counts_from_its_own_beginning_and_then_from_the_last_request()
    {
        var (rig, encoder) = (new MetricRig(), new MetricEncoder("1", MetricTemporality.Delta));
        encoder.Confirm(rig.Store, First);
        var series = Add(rig.Store, new MetricDefinition
        {
            Name = "cpu", Unit = "s", Kind = MetricKind.Counter, IsObserved = true, Scale = 1_000_000, Description = "", Attributes = [],
        });
        series.Add(1_500_000);
        var first = Assert.Single(Write(rig.Store, encoder, Second));
        Assert.Equal((1, 1.5, Begin * 1000), (first.Temporality, first.Real, first.Start));
        encoder.Confirm(rig.Store, Second);
        series.Add(250_000);
        var second = Assert.Single(Write(rig.Store, encoder, Third));
        Assert.Equal((1, 0.25, Second * 1000), (second.Temporality, second.Real, second.Start));
    }

    [Fact]
    public void What_is_given_up_is_lost_and_what_finds_no_room_is_not()
    {
        using var gate = new ManualResetEventSlim();
        using var arrived = new ManualResetEventSlim();
        var receiver = new Receiver
        {
            Answer = number =>
            {
                arrived.Set();
                gate.Wait(10_000);
                return new OtlpAnswer(number == 0 ? OtlpVerdict.Refused : OtlpVerdict.Taken);
            },
        };
        var rig = new MetricRig();
        var otlp = new OtlpConfiguration { Endpoint = new Uri("http://127.0.0.1:1") };
        using var metrics = new OtlpMetrics(
            rig.Store, new MetricsExport { Otlp = otlp, Temporality = MetricTemporality.Delta },
            new OtlpSender(receiver, otlp, "metrics", maximumItems: 1), "1");
        rig.Add(Samples.Client);
        var due = metrics.Tick(Environment.TickCount64 + 120_000);
        Assert.True(arrived.Wait(10_000));
        rig.Add(Samples.Client);
        due = metrics.Tick(due); // the first is on its way: there is no room
        gate.Set();
        Assert.True(SpinWait.SpinUntil(() => Assert.Single(metrics.Count()).Held == 0, 10_000));
        rig.Add(Samples.Client);
        metrics.Tick(due);
        metrics.Finish(Environment.TickCount64 + 10_000);
        // The first one was refused, and is in no later one. The second was not made, so the third has both.
        Assert.Equal([1L, 2L], receiver.Requests.Select(static request => Assert.Single(Read(request)).Count));
        Assert.Equal(new PlaceCounters("otlp.metrics", "points", 2, Emitted: 1, Lost: 1), Assert.Single(metrics.Count()));
    }

    private static Series Add(MetricStore store, MetricDefinition definition)
    {
        var family = store.Add(definition);
        var key = new SeriesKey(stackalloc byte[SeriesKey.Room]);
        using (store.Enter())
        {
            return store.Of(family, store.Agent, in key, Begin);
        }
    }

    private static List<Point> Write(MetricStore store, MetricEncoder encoder, long now)
    {
        var writer = new ProtobufWriter();
        using (store.Enter())
        {
            var count = encoder.Write(store, writer, now);
            var points = Read(writer.Written);
            Assert.Equal(count, points.Count);
            Assert.Equal(count == 0, writer.Length == 0);
            return points;
        }
    }

    private static List<Point> Read(ReadOnlySpan<byte> request)
    {
        using var json = JsonDocument.Parse(OtlpJson.Encode(request, OtlpSignal.Metrics));
        List<Point> points = [];
        foreach (var metric in Of(json.RootElement, "resourceMetrics").SelectMany(static resource => Of(resource, "scopeMetrics"))
            .SelectMany(static scope => Of(scope, "metrics")))
        {
            var data = metric.EnumerateObject().Single(static field => field.Value.ValueKind == JsonValueKind.Object).Value;
            foreach (var point in Of(data, "dataPoints"))
            {
                points.Add(new Point(
                    metric.GetProperty("name").GetString()!,
                    data.TryGetProperty("aggregationTemporality", out var temporality) ? temporality.GetInt32() : 0,
                    Long(point, "startTimeUnixNano"), Long(point, "timeUnixNano"), Long(point, "asInt"), Real(point, "asDouble"),
                    Long(point, "count"), Real(point, "sum"),
                    string.Join(' ', Of(point, "bucketCounts").Select(static count => count.GetString())),
                    Of(point, "exemplars").Count()));
            }
        }

        return points;

        static IEnumerable<JsonElement> Of(JsonElement parent, string name) =>
            parent.TryGetProperty(name, out var list) ? list.EnumerateArray() : [];

        static double Real(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) ? value.GetDouble() : 0;

        static long Long(JsonElement parent, string name) => parent.TryGetProperty(name, out var value)
            ? long.Parse(value.GetString()!, CultureInfo.InvariantCulture) : 0;
    }

    private readonly record struct Point(
        string Metric, int Temporality, long Start, long Time, long Value, double Real, long Count, double Sum, string Buckets,
        int Exemplars);

    private sealed class Receiver : IOtlpTransport
    {
        public string Target => "test";

        public List<byte[]> Requests { get; } = [];

        public required Func<int, OtlpAnswer> Answer { get; init; }

        public OtlpAnswer Send(ReadOnlyMemory<byte> body, CancellationToken limit)
        {
            Requests.Add(body.ToArray());
            return Answer(Requests.Count - 1);
        }

        public void Dispose()
        {
        }
    }
}
