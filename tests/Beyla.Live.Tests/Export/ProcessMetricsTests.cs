using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>What a process uses, beside what /proc says of it.</summary>
public sealed class ProcessMetricsTests
{
    [LiveFact("python3", "otlp-receiver", "promtool")]
    public async Task A_server_is_measured()
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        int page = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(server.Port, receiver.HttpUrl)
            .With("OTEL_METRICS_EXPORTER", "otlp,prometheus").With("OTEL_METRIC_EXPORT_INTERVAL", "200")
            .With("BEYLA_PROMETHEUS_PORT", page.ToString(CultureInfo.InvariantCulture))
            .With("BEYLA_METRICS_FEATURES", "application,application_process,application_host").With("BEYLA_PROCESSES_INTERVAL", "200ms"));
        long[] before = Stat(server.Pid);
        await HttpRequests.SendAsync(server.Port, 400, "/hello");
        await agent.WaitForServerSpansAsync(400);
        // Once it rests, what is measured stays what /proc says.
        long[] used = [];
        OtlpPoint[] points = [];
        Assert.True(
            await Wait.UntilAsync(
                () =>
                {
                    (used, points) = (Stat(server.Pid), Last(receiver));
                    return points.Length > 0 && Ticks(points, "user") == used[0] && Ticks(points, "system") == used[1]
                        && (long)One(points, "process.thread.count").Value! == used[2]
                        && (long)One(points, "process.memory.virtual").Value! == used[3]
                        && (long)One(points, "process.memory.usage").Value! == used[4] * Environment.SystemPageSize;
                },
                Wait.Hang),
            $"{string.Join(' ', used)}\n{string.Join('\n', points.Select(point => $"{point.Metric} {point.Value}"))}\n{agent.Errors}");
        Assert.True(used[0] + used[1] > before[0] + before[1]);

        OtlpPoint memory = One(points, "process.memory.usage");
        Assert.Equal(("By", "sum", 2, false, (long)server.Pid),
            (memory.Unit, memory.Type, memory.Temporality, memory.Monotonic, memory.Resource["process.pid"]));
        OtlpPoint time = points.First(point => point.Metric == "process.cpu.time");
        Assert.Equal(("s", "sum", 2, true), (time.Unit, time.Type, time.Temporality, time.Monotonic));
        // A process counts from its own beginning.
        double uptime = (double)One(points, "process.uptime").Value!;
        Assert.InRange((time.Time - time.Start) / 1e9, uptime - 1, uptime + 60);
        Assert.All(points.Where(point => point.Metric == "process.cpu.utilization"),
            point => Assert.InRange((double)point.Value!, 0, 1.1));

        using HttpClient client = new();
        string text = await client.GetStringAsync(new Uri($"http://127.0.0.1:{page}/metrics"));
        Assert.Matches($"(?m)^process_thread_count{{[^}}]*}} {used[2]}$", text);
        Assert.Matches("(?m)^traces_host_info{[^}]*grafana_host_id=\"[0-9a-f]{32}\"[^}]*} 1$", text);
        Assert.Empty(MetricsPage.Duplicates(text));
        // The names are the conventions'; promtool would keep them for histograms.
        string words = (await MetricsPage.CheckAsync(text)).Words;
        Assert.All(words.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.Matches("^process_(thread|unix_file_descriptor)_count ", line));
        await agent.StopAsync();
    }

    [LiveFact("nginx", "otlp-receiver")]
    public async Task Attributes_are_chosen_for_spans_and_metrics()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        using TempDirectory files = new();
        string configuration = files.Write("beyla.yml", """
            attributes:
              select:
                http_server_request_duration: {include: [http.response.status_code, url.path]}
                "network.*": {exclude: ["*"]}
                traces: {include: [http.response.body.size], exclude: ["network.*"]}
            """);
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(server.Port, receiver.HttpUrl)
            .With("OTEL_METRICS_EXPORTER", "otlp").With("BEYLA_CONFIG_PATH", configuration));
        await HttpRequests.SendAsync(server.Port, 7, "/hello");
        await agent.WaitForServerSpansAsync(7);
        Assert.Contains("A section of attributes.select has no effect", agent.Errors, StringComparison.Ordinal);
        await agent.StopAsync();

        await receiver.WaitForRequestsAsync(1, "metrics");
        OtlpPoint point = Assert.Single(receiver.Points, point => point.Metric == "http.server.request.duration");
        Assert.Equal(
            ["http.response.status_code=200", "url.path=/hello"], point.Attributes.Select(one => $"{one.Key}={one.Value}").Order());
        Assert.Equal(7, receiver.Spans.Count);
        Assert.All(receiver.Spans, span =>
        {
            Assert.True(span.Attributes.ContainsKey("http.response.body.size"));
            Assert.True(span.Attributes.ContainsKey("http.request.method"));
            Assert.DoesNotContain(span.Attributes.Keys, key => key.StartsWith("network.", StringComparison.Ordinal));
        });
    }

    private static OtlpPoint[] Last(OtlpReceiver receiver) => receiver.Points
        .Where(point => point.Metric.StartsWith("process.", StringComparison.Ordinal)).GroupBy(point => point.Time)
        .OrderByDescending(group => group.Key).Select(group => group.ToArray()).FirstOrDefault() ?? [];

    private static OtlpPoint One(OtlpPoint[] points, string metric) => Assert.Single(points, point => point.Metric == metric);

    private static long Ticks(OtlpPoint[] points, string mode) => (long)Math.Round(100 * (double)Assert.Single(
        points, point => point.Metric == "process.cpu.time" && (string)point.Attributes["cpu.mode"] == mode).Value!);

    /// <summary>proc_pid_stat(5): utime, stime, num_threads, vsize, rss.</summary>
    private static long[] Stat(int pid)
    {
        string text = File.ReadAllText($"/proc/{pid}/stat");
        string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return [.. new[] { 14, 15, 20, 23, 24 }.Select(field => long.Parse(fields[field - 3], CultureInfo.InvariantCulture))];
    }
}
