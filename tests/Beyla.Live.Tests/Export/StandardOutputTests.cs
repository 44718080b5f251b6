using System.Globalization;
using System.Text.Json;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// <c>otlp/stdout</c>: each line of standard output is one whole request in JSON (OpenTelemetry specification, "OpenTelemetry Protocol File
/// Exporter", "JSON lines file"), which any receiver takes.
/// </summary>
public sealed class StandardOutputTests
{
    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData("explicit_bucket_histogram", "histogram")]
    [InlineData("base2_exponential_bucket_histogram", "exponentialHistogram")]
    public async Task Each_line_is_a_request_of_spans_or_of_metrics(string aggregation, string type)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(For(server.Port)
            .With("OTEL_METRICS_EXPORTER", "otlp/stdout").With("OTEL_METRIC_EXPORT_INTERVAL", "100")
            .With("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", aggregation));
        await HttpRequests.SendAsync(server.Port, [.. Enumerable.Range(0, 1000).Select(i => i % 4 == 0 ? "/status/503" : $"/hello/{i}")]);
        await Wait.UntilAsync(() => SpansOf(agent).Length >= 1000, Wait.Hang);
        await agent.StopAsync(ChildProcess.SIGTERM);

        OtlpSpan[] spans = SpansOf(agent);
        Assert.Equal((1000, 1000), (spans.Length, spans.Select(span => span.SpanId).Distinct().Count()));
        Assert.Equal(250, spans.Count(span => (long)span.Attributes["http.response.status_code"] == 503));
        Assert.All(spans, span => Assert.Equal(("nginx", "beyla", 2), (span.Service, span.Scope, span.Kind)));
        (string Path, string Line)[] lines = [.. agent.OutputLines.Select(line =>
            (JsonDocument.Parse(line).RootElement.TryGetProperty("resourceSpans", out _) ? "/v1/traces" : "/v1/metrics", line))];
        Assert.Contains(lines, line => line.Path == "/v1/metrics");

        // A receiver takes them as they are.
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        using HttpClient client = new();
        foreach ((string path, string line) in lines)
        {
            using StringContent body = new(line, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
            using HttpResponseMessage response = await client.PostAsync(new Uri(receiver.HttpUrl + path), body);
            response.EnsureSuccessStatusCode();
        }

        await receiver.WaitForSpansAsync(1000);
        OtlpPoint[] last = [.. receiver.Points.Where(point => point.Metric == "http.server.request.duration")
            .GroupBy(point => point.Time).OrderBy(group => group.Key).Last()];
        Assert.All(last, point => Assert.Equal(type, point.Type));
        Assert.Equal(1000, last.Sum(point => point.Count));
        Assert.Equal((1000L, 0L), (agent.Counters["otlp.traces"].Emitted, agent.Counters["otlp.traces"].Lost));
    }

    [LiveFact("nginx")]
    public async Task A_reader_that_goes_is_an_orderly_end()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(For(server.Port) with { ReadsOutput = false });
        agent.CloseOutput();
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("standard output was closed", agent.Errors, StringComparison.Ordinal);
    }

    /// <summary>Nothing waits for the reader: what finds no room is lost and counted, and the end comes in time.</summary>
    [LiveFact("nginx")]
    public async Task A_reader_that_stands_still_holds_nobody_up()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(For(server.Port)
            .With("BEYLA_OTLP_TRACES_QUEUE_SIZE", "600").With("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "300") with { ReadsOutput = false });
        await HttpRequests.SendAsync(server.Port, 1500);
        await Wait.UntilAsync(
            () =>
            {
                agent.Signal(ChildProcess.SIGUSR1);
                return agent.Counters.TryGetValue("otlp.traces", out PlaceCount? count) && count.Produced >= 1500;
            }, Wait.Hang);
        agent.Signal(ChildProcess.SIGTERM);
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        PlaceCount count = agent.Counters["otlp.traces"];
        Assert.True(count.Balanced, AgentLog.Describe(count));
        // A pipe holds 64 KiB, less than one request.
        Assert.Equal((1500L, 0L, 1500L), (count.Produced, count.Emitted, count.Lost));
    }

    [LiveFact("python3")]
    public async Task A_file_that_takes_no_more_is_a_failure()
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        AgentSettings settings = For(server.Port);
        await using AgentProcess agent = await AgentProcess.StartAsync(settings with
        {
            Prefix = [Tool.Find("sh"), "-c", "exec \"$0\" \"$@\" > /dev/full"],
        });
        await HttpRequests.SendAsync(server.Port, 1);
        Assert.Equal(1, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("No space left on device", agent.Errors, StringComparison.Ordinal);
    }

    [LiveFact]
    public async Task Beside_a_printer_it_is_a_mistake()
    {
        await using AgentProcess agent = AgentProcess.Launch(For(80).With("BEYLA_TRACE_PRINTER", "text"));
        Assert.Equal(2, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("standard output belongs to otlp/stdout of OTEL_TRACES_EXPORTER", agent.Errors, StringComparison.Ordinal);
    }

    private static AgentSettings For(int port) => AgentSettings.For("BEYLA_OPEN_PORT", port.ToString(CultureInfo.InvariantCulture))
        .With("BEYLA_TRACE_PRINTER", "").With("OTEL_TRACES_EXPORTER", "otlp/stdout").With("OTEL_BSP_SCHEDULE_DELAY", "200");

    private static OtlpSpan[] SpansOf(AgentProcess agent) =>
        [.. agent.OutputLines.SelectMany(line => OtlpSpan.Of(JsonSerializer.Deserialize<JsonElement>(line)))];
}
