using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// <c>beyla export</c> with what an agent has written while it sent the same spans itself: what arrives is the same.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class RecordingTests(PostgresServer postgres)
{
    /// <summary>Requests and calls, one led to by the other, with queries whose values are redacted, and errors.</summary>
    [LiveTheory("nginx", "python3", "otlp-receiver")]
    [InlineData("http/protobuf")]
    [InlineData("grpc")]
    [InlineData("otlp-json")]
    [InlineData("otlp/stdout")]
    public async Task What_arrives_is_what_the_agent_has_sent(string way)
    {
        await using TestServer backend = await Nginx.StartAsync();
        await using TestServer relay = await ServerKinds.ScriptAsync("relay.py", $"{backend.Port}");
        using TempDirectory files = new();
        string[] paths = [.. Enumerable.Range(0, 300).Select(i => (i % 4) switch
        {
            0 => $"/hello/{i}", 1 => "/status/404", 2 => "/status/503", _ => $"/hello?token=secret&number={i}",
        })];
        (IReadOnlyList<OtlpSpan> sent, string recording) = await RecordAsync(
            files, 3 * paths.Length, () => HttpRequests.SendAsync(relay.Port, paths), relay.Port, backend.Port);
        Assert.Contains(sent, span => span.ParentSpanId.Length > 0 && span.Attributes.ContainsKey("url.full"));

        IReadOnlyList<OtlpSpan> exported = await ExportAsync(recording, way, sent.Count);

        AssertSame(sent, exported);
    }

    [LiveTheory("postgres", "redis-server", "python3 psycopg2", "python3 redis", "otlp-receiver")]
    [InlineData("http/json")]
    public async Task Spans_of_databases_too(string way)
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using TestServer shop = await ServerKinds.ShopAsync(postgres.Port, redis.Port);
        using TempDirectory files = new();
        string[] paths = [.. Enumerable.Range(0, 100).Select(i => $"/item/{i % 100 + 1}")];
        (IReadOnlyList<OtlpSpan> sent, string recording) = await RecordAsync(
            files, 4 * paths.Length, () => HttpRequests.SendAsync(shop.Port, paths, connections: 4), shop.Port);
        Assert.Equal(
            ["postgresql", "redis"],
            sent.Where(span => span.Attributes.ContainsKey("db.system.name")).Select(span => span.Attributes["db.system.name"])
                .Distinct().Order());

        AssertSame(sent, await ExportAsync(recording, way, sent.Count));
    }

    /// <summary>The same bytes, so the same instances, whoever exports it and when.</summary>
    [LiveFact("nginx", "promtool", "otlp-receiver")]
    public async Task A_recording_is_always_the_same()
    {
        await using TestServer server = await Nginx.StartAsync(workers: 2);
        using TempDirectory files = new();
        string[] paths = [.. Enumerable.Range(0, 300).Select(
            i => (i % 3) switch { 0 => $"/hello/{i}", 1 => "/status/404", _ => "/status/503" })];
        (IReadOnlyList<OtlpSpan> sent, string recording) = await RecordAsync(
            files, paths.Length, () => HttpRequests.SendAsync(server.Port, paths), server.Port);

        ExportCommand first = await ExportCommand.RunAsync(recording, ["--to", "otlp-json"]);
        ExportCommand second = await ExportCommand.RunAsync(recording, ["--to=otlp-json"]);
        Assert.Equal((0, $"beyla: exported {paths.Length} spans"), (first.Status, first.Summary));
        Assert.Equal(first.Lines, second.Lines);

        ExportCommand metrics = await ExportCommand.RunAsync(recording, ["--to", "prometheus"]);
        Assert.Equal((0, $"beyla: exported {paths.Length} spans"), (metrics.Status, metrics.Summary));
        Assert.Equal((0, ""), await MetricsPage.CheckAsync(metrics.Page));
        Assert.Empty(MetricsPage.Duplicates(metrics.Page));
        const string count = "http_server_request_duration_seconds_count";
        Assert.Equal(paths.Length, MetricsPage.Sum(metrics.Page, count));
        foreach (int status in (int[])[200, 404, 503])
        {
            Assert.Equal(100, MetricsPage.Sum(metrics.Page, count, $"http_response_status_code=\"{status}\""));
        }

        Assert.Equal(
            sent.Sum(span => span.End - span.Start) / 1e9,
            MetricsPage.Sum(metrics.Page, "http_server_request_duration_seconds_sum"), 6);
        Assert.Equal(metrics.Lines, (await ExportCommand.RunAsync(recording, ["--to", "prometheus"])).Lines);
        // The page has its bounds, whatever is sent elsewhere.
        ExportCommand exponential = await ExportCommand.RunAsync(
            recording, ["--to", "prometheus"], ("OTEL_METRICS_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "base2_exponential_bucket_histogram"));
        Assert.Equal(metrics.Lines, exponential.Lines);
        ExportCommand others = await ExportCommand.RunAsync(
            recording, ["--to", "prometheus"], ("BEYLA_METRICS_FEATURES", "application_span,application_service_graph"));
        Assert.Equal(
            (0d, 300d, 300d),
            (MetricsPage.Sum(others.Page, count), MetricsPage.Sum(others.Page, "traces_spanmetrics_calls_total"),
                MetricsPage.Sum(others.Page, "traces_service_graph_request_total")));
    }

    [LiveFact("nginx", "otlp-receiver")]
    public async Task Conditions_hold_here_too()
    {
        await using TestServer server = await Nginx.StartAsync();
        using TempDirectory files = new();
        string[] paths = [.. Enumerable.Range(0, 90).Select(
            i => (i % 3) switch { 0 => $"/hello/{i}", 1 => "/status/404", _ => "/status/503" })];
        (_, string recording) = await RecordAsync(
            files, paths.Length, () => HttpRequests.SendAsync(server.Port, paths), server.Port);
        string[] filter = ["--set", "filter.application={http.response.status_code: {less_than: 500}, http.route: {match: '/hello/*'}}"];

        ExportCommand requests = await ExportCommand.RunAsync(recording, ["--to", "otlp-json", .. filter]);
        Assert.Equal((0, "beyla: exported 30 spans"), (requests.Status, requests.Summary));
        Assert.All(requests.Spans, span => Assert.Equal("/hello/*", span.Attributes["http.route"]));
        Assert.Equal(30, requests.Spans.Count);
        ExportCommand page = await ExportCommand.RunAsync(recording, ["--to", "prometheus", .. filter]);
        Assert.Equal((0, "beyla: exported 30 spans"), (page.Status, page.Summary));
        Assert.Equal(30, MetricsPage.Sum(page.Page, "http_server_request_duration_seconds_count"));
    }

    /// <summary>Traces ports with an agent that sends and prints, until all spans have arrived.</summary>
    /// <returns>What arrived, and the path of what was printed.</returns>
    private static async Task<(IReadOnlyList<OtlpSpan> Sent, string Recording)> RecordAsync(
        TempDirectory files, int count, Func<Task> work, params int[] ports)
    {
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(ports[0], receiver.HttpUrl).With("BEYLA_OPEN_PORT", string.Join(',', ports)) with { ReadsAsText = true });
        await work();
        IReadOnlyList<OtlpSpan> sent = await receiver.WaitForSpansAsync(count);
        agent.Signal(ChildProcess.SIGINT);
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        return (sent, files.Write("recording.jsonl", agent.Output + "\n"));
    }

    private static async Task<IReadOnlyList<OtlpSpan>> ExportAsync(string recording, string way, int count)
    {
        if (way is "otlp-json" or "otlp/stdout")
        {
            // The variable of the agent says the same.
            ExportCommand written = way == "otlp-json" ? await ExportCommand.RunAsync(recording, ["--to", way])
                : await ExportCommand.RunAsync(recording, [], ("OTEL_TRACES_EXPORTER", way));
            Assert.Equal((0, $"beyla: exported {count} spans"), (written.Status, written.Summary));
            return written.Spans;
        }

        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        ExportCommand sent = await ExportCommand.RunAsync(
            recording, [], ("OTEL_EXPORTER_OTLP_ENDPOINT", way == "grpc" ? receiver.GrpcUrl : receiver.HttpUrl),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", way));
        Assert.Equal((0, $"beyla: exported {count} spans"), (sent.Status, sent.Summary));
        Assert.Empty(sent.Lines);
        return await receiver.WaitForSpansAsync(count);
    }

    /// <summary>Span by span all that a span has; of the resource what the stream has of the process.</summary>
    private static void AssertSame(IReadOnlyList<OtlpSpan> sent, IReadOnlyList<OtlpSpan> exported)
    {
        Dictionary<string, OtlpSpan> live = sent.ToDictionary(span => span.SpanId);
        Assert.Equal(live.Count, exported.Count);
        Assert.Equal(live.Count, exported.Select(span => span.SpanId).Distinct().Count());
        foreach (OtlpSpan span in exported)
        {
            OtlpSpan own = live[span.SpanId];
            Assert.Equal(Facts(own), Facts(span));
            Assert.Equal(own.Attributes.OrderBy(pair => pair.Key), span.Attributes.OrderBy(pair => pair.Key));
            Assert.Equal(
                own.Resource.Where(pair => !IsOfTheHost(pair.Key)).OrderBy(pair => pair.Key),
                span.Resource.Where(pair => pair.Key != "service.instance.id").OrderBy(pair => pair.Key));
        }
    }

    private static bool IsOfTheHost(string name) =>
        name == "service.instance.id" || name.StartsWith("host.", StringComparison.Ordinal);

    private static (string, string, string, string, int, long, long, int, string, string) Facts(OtlpSpan span) =>
        (span.TraceId, span.ParentSpanId, span.TraceState, span.Name, span.Kind, span.Start, span.End, span.Status, span.Scope,
            span.ScopeVersion);
}
