using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>What entries of <c>discovery.instrument</c> say of the telemetry of their services, as the receiver gets it.</summary>
public sealed class RuleOptionsTests
{
    [LiveFact("python3", "otlp-receiver")]
    public async Task A_service_leaves_in_the_signals_that_its_entry_says()
    {
        await using TestServer metrics = await ServerKinds.PythonAsync();
        await using TestServer traces = await ServerKinds.PythonAsync();
        await using TestServer neither = await ServerKinds.PythonAsync();
        await using TestServer both = await ServerKinds.PythonAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        using TempDirectory files = new();
        string configuration = files.Write("beyla.yml", $$"""
            discovery:
              instrument:
                - {open_ports: {{metrics.Port}}, exports: [metrics]}
                - {open_ports: {{traces.Port}}, exports: [traces]}
                - {open_ports: {{neither.Port}}, exports: []}
                - {open_ports: {{both.Port}}}
            """);
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(both.Port, receiver.HttpUrl)
            .With("OTEL_METRICS_EXPORTER", "otlp").With("BEYLA_METRICS_FEATURES", "application,application_process")
            .With("BEYLA_CONFIG_PATH", configuration));
        (TestServer Server, int Requests)[] sent = [(metrics, 3), (traces, 5), (neither, 7), (both, 11)];
        foreach ((TestServer server, int requests) in sent)
        {
            await HttpRequests.SendAsync(server.Port, requests, "/hello");
        }

        // Printers show all of them.
        await agent.WaitForServerSpansAsync(sent.Sum(one => one.Requests));
        await agent.StopAsync();

        await receiver.WaitForSpansAsync(16);
        Assert.Equal(
            [(traces.Pid, 5), (both.Pid, 11)],
            receiver.Spans.CountBy(span => (int)(long)span.Resource["process.pid"]).Select(count => (count.Key, count.Value))
                .OrderBy(count => count.Value));
        await receiver.WaitForRequestsAsync(1, "metrics");
        Assert.Equal(
            [(metrics.Pid, 3L), (both.Pid, 11L)],
            receiver.Points.Where(point => point.Metric == "http.server.request.duration")
                .GroupBy(point => (int)(long)point.Resource["process.pid"])
                .Select(group => (group.Key, group.Max(point => point.Count))).OrderBy(count => count.Item2));
        Assert.Equal(
            ((int[])[metrics.Pid, both.Pid]).Order(),
            receiver.Points.Where(point => point.Metric == "process.thread.count")
                .Select(point => (int)(long)point.Resource["process.pid"]).Distinct().Order());
        foreach ((string place, int left) in (ReadOnlySpan<(string, int)>)[("exports.traces", 16), ("exports.metrics", 14)])
        {
            PlaceCount counted = agent.Counters[place];
            Assert.Equal((26, left, 26 - left), ((int)counted.Produced, (int)counted.Emitted, (int)counted.Filtered));
        }
    }

    [LiveFact("python3", "otlp-receiver")]
    public async Task A_service_has_the_groups_of_metrics_that_its_entry_says_and_others_those_of_all()
    {
        await using TestServer own = await ServerKinds.PythonAsync();
        await using TestServer other = await ServerKinds.PythonAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        using TempDirectory files = new();
        string configuration = files.Write("beyla.yml", $$"""
            discovery:
              instrument:
                - open_ports: {{own.Port}}
                  metrics: {features: [application_span, application_process] }
                - {open_ports: {{other.Port}}}
            """);
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(other.Port, receiver.HttpUrl)
            .With("OTEL_METRICS_EXPORTER", "otlp").With("BEYLA_CONFIG_PATH", configuration));
        await HttpRequests.SendAsync(own.Port, 3, "/hello");
        await HttpRequests.SendAsync(other.Port, 5, "/hello");
        await agent.WaitForServerSpansAsync(8);
        await agent.StopAsync();

        await receiver.WaitForRequestsAsync(1, "metrics");
        Assert.Equal([(other.Pid, 5L)], Counted("http.server.request.duration", point => point.Count));
        Assert.Equal([(own.Pid, 3L)], Counted("traces_spanmetrics_calls", point => (long)point.Value!));
        // The keeper reads by the configuration that it has: the group of one service is enough.
        Assert.Equal([own.Pid], Counted("process.disk.io", _ => 0).Select(point => point.Pid).Distinct());
        Assert.Equal([own.Pid], Counted("process.thread.count", _ => 0).Select(point => point.Pid));

        (int Pid, long Value)[] Counted(string metric, Func<OtlpPoint, long> value) =>
        [
            .. receiver.Points.Where(point => point.Metric == metric).GroupBy(point => (int)(long)point.Resource["process.pid"])
                .Select(group => (group.Key, value(group.Last()))),
        ];
    }

    [LiveFact("python3", "otlp-receiver")]
    public async Task A_service_has_routes_of_its_own_for_what_it_serves_and_what_it_asks_for()
    {
        await using TestServer called = await ServerKinds.PythonAsync();
        await using TestServer caller = await ServerKinds.PythonAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        using TempDirectory files = new();
        string configuration = files.Write("beyla.yml", $$"""
            routes: {patterns: [/general/:id]}
            discovery:
              instrument:
                - open_ports: {{caller.Port}}
                  routes: {incoming: ["/proxy/:port"], outgoing: ["/:page"] }
                - {open_ports: {{called.Port}}}
            """);
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(called.Port, receiver.HttpUrl)
            .With("BEYLA_CONFIG_PATH", configuration));
        await HttpRequests.SendAsync(caller.Port, [$"/proxy/{called.Port}", "/general/7"], connections: 1);
        // Two requests of the test, one of the caller at both its ends.
        await agent.WaitForServerSpansAsync(3);
        await agent.StopAsync();

        await receiver.WaitForSpansAsync(4);
        Assert.Equal(
            [
                "/from-python: GET /:page, template /:page, route ",
                "/from-python: GET /from-python, template , route /from-python",
                "/general/7: GET /general/:id, template , route /general/:id",
                $"/proxy/{called.Port}: GET /proxy/:port, template , route /proxy/:port",
            ],
            receiver.Spans.Select(span => $"{PathOf(span)}: {span.Name}, template {Text(span, "url.template")}, "
                + $"route {Text(span, "http.route")}").Order(StringComparer.Ordinal));

        static object? Text(OtlpSpan span, string name) => span.Attributes.GetValueOrDefault(name);
        static string PathOf(OtlpSpan span) => (string?)Text(span, "url.path") ?? new Uri((string)Text(span, "url.full")!).AbsolutePath;
    }
}
