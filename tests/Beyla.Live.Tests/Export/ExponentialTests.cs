using System.Globalization;
using System.Text.Json;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>Exponential histograms of a traced server as an independent receiver decodes them: n requests are a count of n.</summary>
public sealed class ExponentialTests
{
    private const string Duration = "http.server.request.duration";

    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData("http/protobuf", 160)]
    [InlineData("http/json", 160)]
    [InlineData("grpc", 4)]
    public async Task The_buckets_have_the_durations_of_the_requests(string protocol, int maxSize)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            For(server.Port, protocol == "grpc" ? receiver.GrpcUrl : receiver.HttpUrl, protocol)
                .With("BEYLA_METRICS_EXPONENTIAL_HISTOGRAM_MAX_SIZE", maxSize.ToString(CultureInfo.InvariantCulture)));
        await HttpRequests.SendAsync(server.Port, [.. Enumerable.Range(0, 300).Select(i => i % 3 == 0 ? "/status/503" : $"/hello/{i}")]);
        await agent.WaitForServerSpansAsync(300);
        await agent.StopAsync(ChildProcess.SIGTERM);

        OtlpRequest request = Assert.Single(await receiver.WaitForRequestsAsync(1, "metrics"));
        Assert.True(request.Taken, request.Summary);
        OtlpPoint[] points = [.. OtlpPoint.Of(request).Where(point => point.Metric == Duration)];
        Assert.Equal(
            [(200L, 200L), (503L, 100L)],
            points.Select(point => ((long)point.Attributes["http.response.status_code"], point.Count)).Order());
        foreach (OtlpPoint point in points)
        {
            Assert.Equal(
                ("s", "exponentialHistogram", 2, "nginx"),
                (point.Unit, point.Type, point.Temporality, point.Resource["service.name"]));
            long status = (long)point.Attributes["http.response.status_code"];
            double[] durations = [.. agent.Spans.Where(span => span.StatusCode == status).Select(span => span.Duration.TotalSeconds)];
            Assert.Equal(point.Count, point.Buckets.Sum() + Zeros(point));
            Assert.Equal(durations.Sum(), point.Sum, 6);
            Assert.InRange(point.Buckets.Count, 1, maxSize);
            AssertHolds(point, durations);
            Assert.NotEmpty(point.Exemplars);
        }
    }

    /// <summary>The page counts in buckets with bounds from the beginning, the receiver gets what came since the last request.</summary>
    [LiveFact("nginx", "otlp-receiver")]
    public async Task Beside_the_page_points_from_the_last_one_add_up_to_the_requests()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        int page = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(For(server.Port, receiver.HttpUrl, "http/protobuf")
            .With("OTEL_METRIC_EXPORT_INTERVAL", "300")
            .With("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
            .With("BEYLA_PROMETHEUS_PORT", page.ToString(CultureInfo.InvariantCulture)));
        for (int round = 1; round <= 3; round++)
        {
            await HttpRequests.SendAsync(server.Port, 100, "/hello");
            Assert.True(await Wait.UntilAsync(() => Points().Sum(point => point.Count) == 100 * round, Wait.Hang));
        }

        using HttpClient client = new();
        string text = await client.GetStringAsync(new Uri($"http://127.0.0.1:{page}/metrics"));
        Assert.Matches("(?m)^http_server_request_duration_seconds_bucket{[^}]*le=\"\\+Inf\"} 300$", text);
        await HttpRequests.SendAsync(server.Port, 10, "/hello");
        await agent.WaitForServerSpansAsync(310);
        await agent.StopAsync(); // and the rest

        OtlpPoint[] points = [.. Points()];
        Assert.All(points, point => Assert.Equal(("exponentialHistogram", 1), (point.Type, point.Temporality)));
        Assert.Equal((310L, 310L), (points.Sum(point => point.Count), points.Sum(point => point.Buckets.Sum() + Zeros(point))));
        Assert.Equal(agent.Spans.Sum(span => span.Duration.TotalSeconds), points.Sum(point => point.Sum), 6);

        IEnumerable<OtlpPoint> Points() => receiver.Points.Where(point => point.Metric == Duration);
    }

    private static AgentSettings For(int port, string endpoint, string protocol) => ExportingAgent.For(port, endpoint, protocol)
        .With("OTEL_METRICS_EXPORTER", "otlp")
        .With("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "base2_exponential_bucket_histogram");

    private static long Zeros(OtlpPoint point) => OtlpValue.Long(point.Json, "zeroCount");

    /// <summary>
    /// Bucket i counts what is above base^i, up to base^(i+1), where base is 2^(2^-scale) (OpenTelemetry data model, "Exponential
    /// Histogram"). Next to a bound a power in floating point may err, so that some durations may be on either side.
    /// </summary>
    private static void AssertHolds(OtlpPoint point, double[] durations)
    {
        const double Doubt = 1e-9;
        JsonElement positive = point.Json.GetProperty("positive");
        int offset = OtlpValue.Int(positive, "offset"), scale = OtlpValue.Int(point.Json, "scale");
        double Bound(int index) => Math.Pow(2, index * Math.Pow(2, -scale));
        for (int i = 0; i < point.Buckets.Count; i++)
        {
            (double lower, double upper) = (Bound(offset + i), Bound(offset + i + 1));
            Assert.InRange(
                point.Buckets[i],
                durations.Count(value => value > lower * (1 + Doubt) && value <= upper * (1 - Doubt)),
                durations.Count(value => value > lower * (1 - Doubt) && value <= upper * (1 + Doubt)));
        }
    }
}
