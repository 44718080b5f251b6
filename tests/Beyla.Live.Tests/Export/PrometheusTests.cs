using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>The agent's page of metrics, read by curl's way, by promtool and by Prometheus itself.</summary>
public sealed partial class PrometheusTests
{
    private static readonly HttpClient Client = new();

    [LiveFact("nginx", "promtool")]
    public async Task N_requests_are_counted_n_times_on_a_page_in_order()
    {
        await using TestServer server = await Nginx.StartAsync(workers: 2);
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(Settings(server.Port, port)
            .With("BEYLA_METRICS_FEATURES", "application,application_span,application_span_sizes,application_service_graph"));

        string[] paths = [.. Enumerable.Range(0, 3000).Select(
            i => (i % 3) switch { 0 => $"/hello/{i}", 1 => "/status/404", _ => "/status/503" })];
        await HttpRequests.SendAsync(server.Port, paths);
        await agent.WaitForServerSpansAsync(paths.Length);

        const string count = "http_server_request_duration_seconds_count";
        string page = await PageAsync(port, page => Sum(page, count) >= paths.Length);
        Assert.Equal((0, ""), await MetricsPage.CheckAsync(page));
        Assert.Empty(MetricsPage.Duplicates(page));
        foreach (int status in (int[])[200, 404, 503])
        {
            Assert.Equal(1000, Sum(page, count, $"http_response_status_code=\"{status}\""));
        }

        Assert.Equal(1000, Sum(page, count, "error_type=\"503\""));
        Assert.Equal(3000, Sum(page, "traces_spanmetrics_calls_total"));
        Assert.Equal(3000, Sum(page, "traces_service_graph_request_total", "server=\"nginx\""));
        Assert.Equal(1000, Sum(page, "traces_service_graph_request_failed_total"));
        // The sum of the spans' own durations, which the stream has in microseconds.
        double seconds = agent.Spans.Sum(span => span.Duration.TotalSeconds);
        Assert.Equal(seconds, Sum(page, "http_server_request_duration_seconds_sum"), 6);
        // Of 1,000 paths there is one route.
        Assert.DoesNotMatch("/hello/[0-9]", page);
        Assert.All(Targets(page).GroupBy(target => target), group => Assert.Single(group));
        await agent.StopAsync();
    }

    [LiveFact("nginx", "prometheus")]
    public async Task Prometheus_reads_counts_exemplars_units_and_the_end_of_a_process()
    {
        TestServer server = await Nginx.StartAsync();
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(Settings(server.Port, port));
        await using PrometheusServer prometheus = await PrometheusServer.StartAsync(port);
        await HttpRequests.SendAsync(server.Port, [.. Enumerable.Range(0, 200).Select(i => $"/hello/{i}")]);
        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(200);

        await prometheus.WaitUntilUpAsync();
        await prometheus.WaitForAsync("sum(http_server_request_duration_seconds_count{job=\"nginx\"})", 200);
        await prometheus.WaitForAsync("sum(http_server_request_duration_seconds_bucket{job=\"nginx\",le=\"+Inf\"})", 200);
        Assert.Equal(
            ("histogram", "seconds", "Duration of HTTP requests that a service answered."),
            await prometheus.MetadataAsync("http_server_request_duration_seconds"));
        PrometheusSample target = Assert.Single(await prometheus.QueryAsync("target_info{job=\"nginx\"}"));
        Assert.Equal("nginx", target.Labels["process_executable_name"]);
        // What a dashboard does: metrics joined with what is known of their process.
        Assert.Equal(200, Assert.Single(await prometheus.QueryAsync(
            "sum by (process_pid) (http_server_request_duration_seconds_count * on (job, instance) group_left (process_pid) target_info)"))
            .Value);
        IReadOnlyList<PrometheusSample> exemplars = await prometheus.ExemplarsAsync("http_server_request_duration_seconds_bucket");
        Assert.NotEmpty(exemplars);
        HashSet<string> known = [.. spans.Select(span => $"{span.TraceId} {span.SpanId}")];
        Assert.All(exemplars, one => Assert.Contains($"{one.Labels["trace_id"]} {one.Labels["span_id"]}", known));

        await server.DisposeAsync();
        await prometheus.WaitForNoneAsync("http_server_request_duration_seconds_count");
        await prometheus.WaitForNoneAsync("target_info{job=\"nginx\"}");
        await agent.StopAsync();
    }

    [LiveFact("nginx")]
    public async Task Both_formats_have_the_same_series_and_the_page_is_this_hosts_alone()
    {
        await using TestServer server = await Nginx.StartAsync();
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(Settings(server.Port, port)
            .With("BEYLA_INTERNAL_METRICS_EXPORTER", "prometheus").With("BEYLA_PROMETHEUS_PATH", "/beyla"));
        await HttpRequests.SendAsync(server.Port, ["/hello", "/status/404"]);
        await agent.WaitForServerSpansAsync(2);
        string text = await PageAsync(port, page => Sum(page, "http_server_request_duration_seconds_count") == 2, "/beyla");
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri($"http://127.0.0.1:{port}/beyla"));
        request.Headers.TryAddWithoutValidation("Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5");
        using HttpResponseMessage response = await Client.SendAsync(request);
        Assert.Equal(
            "application/openmetrics-text; version=1.0.0; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        string open = await response.Content.ReadAsStringAsync();
        Assert.EndsWith("\n# EOF\n", open, StringComparison.Ordinal);
        Assert.Equal(MetricsPage.Series(text).Order(), MetricsPage.Series(open).Order());

        string own = await PageAsync(port, page => Sum(page, "beyla_pipeline_items_total", "place=\"spans\"", "outcome=\"emitted\"") == 2,
            "/internal/metrics");
        Assert.Empty(MetricsPage.Duplicates(own));
        Assert.Equal(0, Sum(own, "beyla_pipeline_items_total", "outcome=\"lost\""));
        using HttpResponseMessage other = await Client.GetAsync(new Uri($"http://127.0.0.1:{port}/metrics"));
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => Client.GetAsync(new Uri($"http://[::1]:{port}/beyla")));
        await agent.StopAsync();
    }

    [LiveFact("nginx")]
    public async Task A_port_that_is_taken_ends_the_agent_with_a_word()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = AgentProcess.Launch(Settings(server.Port, server.Port));
        Assert.True(await Wait.UntilAsync(() => agent.ErrorLines.Any(
            line => line.Contains("EADDRINUSE", StringComparison.Ordinal)), Wait.Hang));
    }

    /// <summary>The stream has each flow, and tests of its own hold it against the packets that were sent.</summary>
    [LiveFact("nginx")]
    public async Task Flows_are_summed_as_the_stream_has_them()
    {
        await using TestServer server = await Nginx.StartAsync();
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings
            .For("BEYLA_METRICS_FEATURES", "network_flow_packets,network").With("BEYLA_NETWORK_INTERFACES", "lo")
            .With("BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT", "1s")
            .With("BEYLA_PROMETHEUS_PORT", port.ToString(CultureInfo.InvariantCulture)));
        await HttpRequests.SendAsync(server.Port, [.. Enumerable.Range(0, 200).Select(i => $"/hello/{i}")]);
        Assert.True(await Wait.UntilAsync(() => agent.Flows.Any(flow => flow.DestinationPort == server.Port), Wait.Hang));

        // Between two reports both have the same flows.
        string page = await PageAsync(port, page =>
            Sum(page, "beyla_network_flow_bytes_total") == agent.Flows.Sum(flow => (double)flow.Bytes)
            && Sum(page, "beyla_network_flow_packets_total") == agent.Flows.Sum(flow => (double)flow.Packets));
        Assert.True(Sum(page, "beyla_network_flow_bytes_total", "job=\"beyla\"", "direction=\"request\"") > 0);
        Assert.DoesNotContain("127.0.0.1", page, StringComparison.Ordinal);
        await agent.StopAsync();
    }

    /// <summary>/etc/hosts is enough for a resolver, and 127.0.0.1 is localhost in each.</summary>
    [LiveFact("nginx")]
    public async Task The_service_graph_has_the_names_that_the_resolver_knows()
    {
        await using TestServer server = await Nginx.StartAsync();
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(Settings(server.Port, port)
            .With("BEYLA_METRICS_FEATURES", "application_service_graph").With("BEYLA_NAME_RESOLVER_SOURCES", "dns")
            .With("BEYLA_RENAME_UNRESOLVED_HOSTS_INCOMING", "somebody"));
        const string edges = "traces_service_graph_request_total";
        // Those before the answer have no name.
        string page = await PageAsync(port, page => Sum(page, edges, "client=\"localhost\"") >= 1, between: async () =>
        {
            await HttpRequests.SendAsync(server.Port, 1, "/hello");
        });
        await agent.StopAsync();
        Assert.DoesNotContain("127.0.0.1", page);
        Assert.All(
            page.Split('\n').Where(line => line.StartsWith(edges + "{", StringComparison.Ordinal)),
            line => Assert.Matches("client=\"(localhost|somebody)\"", line));
    }

    private static AgentSettings Settings(int traced, int port) => AgentSettings.ForPorts(traced)
        .With("BEYLA_PROMETHEUS_PORT", port.ToString(CultureInfo.InvariantCulture));

    /// <summary>The page as soon as it is as wanted: a span is on it a moment after it was printed.</summary>
    private static async Task<string> PageAsync(int port, Func<string, bool> isWanted, string path = "/metrics", Func<Task>? between = null)
    {
        string page = "";
        for (long end = Environment.TickCount64 + (long)Wait.Hang.TotalMilliseconds; Environment.TickCount64 < end; await Task.Delay(50))
        {
            await (between?.Invoke() ?? Task.CompletedTask);
            page = await Client.GetStringAsync(new Uri($"http://127.0.0.1:{port}{path}"));
            if (isWanted(page))
            {
                return page;
            }
        }

        Assert.Fail(page);
        return page;
    }

    private static double Sum(string page, string name, params string[] labels) => MetricsPage.Sum(page, name, labels);

    private static IEnumerable<string> Targets(string page) => Target().Matches(page).Select(match => match.Groups[1].Value);

    [GeneratedRegex("^target_info\\{(job=\"[^\"]*\",instance=\"[^\"]*\")", RegexOptions.Multiline)]
    private static partial Regex Target();
}
