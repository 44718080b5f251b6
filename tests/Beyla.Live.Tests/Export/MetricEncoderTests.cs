using System.Globalization;
using System.Net.Http.Headers;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Kernel;
using Beyla.Agent.Metrics;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>Series as an independent receiver decodes them: values, types, bounds and times as OpenTelemetry has them.</summary>
public sealed class MetricEncoderTests
{
    private const long Begin = 1_700_000_000_000_000;

    [LiveFact("otlp-receiver")]
    public async Task Series_are_points_with_types_bounds_and_exemplars()
    {
        HostIdentity host = new("0123456789abcdef0123456789abcdef", "host1", "boot1");
        MetricStore store = new(new MetricStoreOptions { Cardinality = 3 }, AgentResource.Of(host, "1.2.3"));
        IExportStage stage = new MetricSetup { Features = MetricFeatures.Application | MetricFeatures.ApplicationSpan }
            .MakeStage(store, new ServiceResources(host, "1.2.3", static _ => 1))!;
        ProcessInfo process = new() { Pid = 4711, ServiceName = "web", ServiceNamespace = "shop", Executable = "/usr/bin/web" };
        foreach (long duration in (long[])[5_000, 5_001, 20_000_000])
        {
            Add(stage, process, "api", duration);
        }

        foreach (string other in (string[])["b", "c", "d", "e"])
        {
            Add(stage, process, other, 1_000_000);
        }

        ProtobufWriter writer = new();
        int count;
        using (store.Enter())
        {
            count = new MetricEncoder("1.2.3").Write(store, writer, Begin + 60_000_000);
        }

        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        using HttpClient client = new();
        using ByteArrayContent body = new(writer.Written.ToArray());
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        using HttpResponseMessage response = await client.PostAsync(new Uri(receiver.HttpUrl + "/v1/metrics"), body);
        response.EnsureSuccessStatusCode();

        OtlpPoint[] points = [.. OtlpPoint.Of(Assert.Single(await receiver.WaitForRequestsAsync(1, "metrics")))];
        Assert.Equal(count, points.Length);
        OtlpPoint[] clients = [.. points.Where(point => point.Metric == "http.client.request.duration")];
        Assert.Equal(4, clients.Length);
        OtlpPoint api = Assert.Single(clients, point => point.Attributes.GetValueOrDefault("server.address") as string == "api");
        Assert.Equal(("s", "histogram", 2), (api.Unit, api.Type, api.Temporality));
        Assert.Equal((3L, 20.010001), (api.Count, api.Sum));
        Assert.Equal((double[])[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10], api.Bounds);
        Assert.Equal((long[])[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], api.Buckets);
        Assert.Equal((Begin * 1000, (Begin + 60_000_000) * 1000), (api.Start, api.Time));
        Assert.Equal((200L, 8080L, "GET", "1.1"),
            (api.Attributes["http.response.status_code"], api.Attributes["server.port"], api.Attributes["http.request.method"],
                api.Attributes["network.protocol.version"]));
        Assert.Equal(5, api.Attributes.Count);
        Assert.Equal(("shop", "web", 4711L),
            (api.Resource["service.namespace"], api.Resource["service.name"], api.Resource["process.pid"]));
        Assert.Equal(3, api.Exemplars.Count);
        Assert.Equal((Trace(20_000_000), Span(20_000_000), 20.0), api.Exemplars[^1]);

        OtlpPoint overflow = Assert.Single(clients, point => point.Attributes.ContainsKey("otel.metric.overflow"));
        Assert.Equal((true, 2L, "beyla"), (overflow.Attributes["otel.metric.overflow"], overflow.Count, overflow.Resource["service.name"]));
        OtlpPoint calls = Assert.Single(points, point => point.Metric == "traces_spanmetrics_calls");
        Assert.Equal(("sum", 2, true, 7L), (calls.Type, calls.Temporality, calls.Monotonic, calls.Value));
        Assert.Equal(2L, Assert.Single(points, point => point.Metric == "beyla.metrics.folded").Value);
    }

    private static string Trace(long low) => string.Create(CultureInfo.InvariantCulture, $"{7:x16}{low:x16}");

    private static string Span(long id) => string.Create(CultureInfo.InvariantCulture, $"{id:x16}");

    private static void Add(IExportStage stage, ProcessInfo process, string server, long duration)
    {
        SpanValues values = new();
        values.Add(SpanAttribute.Name, "GET"u8);
        values.Add(SpanAttribute.HttpRequestMethod, "GET"u8);
        values.Add(SpanAttribute.HttpResponseStatusCode, 200);
        values.Add(SpanAttribute.HttpRequestHeaderHost, System.Text.Encoding.ASCII.GetBytes(server + ":8080"));
        values.Add(SpanAttribute.NetworkProtocolVersion, "1.1"u8);
        SpanData data = new()
        {
            Protocol = ProtocolId.Http, Kind = SpanKind.Client, Values = values, Pid = process.Pid,
            Context = new TraceContext
            {
                TraceHigh = 7, TraceLow = (ulong)duration, SpanId = (ulong)duration, Flags = TraceContext.Sampled,
            },
        };
        stage.OnSpan(new ExportedSpan(in data) { Process = process, Start = Begin, Duration = duration, HandlerDuration = duration });
    }
}
