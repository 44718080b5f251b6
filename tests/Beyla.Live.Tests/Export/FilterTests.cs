using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Flows;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>Conditions on attributes: the printer, the receiver and the page agree on what meets them.</summary>
public sealed class FilterTests
{
    private const string Duration = "http.server.request.duration";

    /// <summary>10 of each but /status/503, of which there are 20.</summary>
    private static readonly string[] Paths =
    [
        .. Enumerable.Range(0, 60).Select(static i => (i % 6) switch
        {
            0 => $"/hello/{i}", 1 => "/small.txt", 2 => "/status/404", 3 => "/status/301", _ => "/status/503",
        }),
    ];

    [LiveTheory("nginx", "otlp-receiver")]
    // By a number and a text that are on the wire.
    [InlineData("http.response.status_code: {greater_equals: 400}, url.path: {not_match: '*/404'}", 20, "503")]
    // By what the routes make of the path, which no printer shows otherwise.
    [InlineData("http_route: {match: '/hello/\\*'}", 10, "200")]
    [InlineData("span.name: {match: 'GET /{status,hello}/*'}, http.response.status_code: {not_match: '50?'}", 30, "200,301,404")]
    public async Task What_meets_the_conditions_is_everywhere_and_the_rest_nowhere(string filter, int count, string statuses)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(server.Port, receiver.HttpUrl)
            .With("OTEL_METRICS_EXPORTER", "otlp,prometheus").With("OTEL_METRIC_EXPORT_INTERVAL", "3600000")
            .With("BEYLA_PROMETHEUS_PORT", port.ToString(CultureInfo.InvariantCulture)) with
            {
                Arguments = ["--set", $"filter.application={{{filter}}}"],
            });
        await HttpRequests.SendAsync(server.Port, Paths, connections: 1);
        await agent.WaitForServerSpansAsync(count);
        using HttpClient client = new();
        string page = await PageAsync(
            () => client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics")),
            page => OnPage(page).Sum(static one => one.Count) >= count);
        await agent.StopAsync(ChildProcess.SIGTERM);
        await receiver.WaitForRequestsAsync(1, "metrics");
        await receiver.WaitForSpansAsync(count);

        (string, int)[] expected = [.. agent.Spans.GroupBy(static span => span.StatusCode.ToString()!)
            .Select(static group => (group.Key, group.Count())).Order()];
        Assert.Equal((count, statuses), (agent.Spans.Count, string.Join(',', expected.Select(static one => one.Item1))));
        Assert.Equal(expected, receiver.Spans.GroupBy(static span => span.Attributes["http.response.status_code"].ToString()!)
            .Select(static group => (group.Key, group.Count())).Order());
        Assert.Equal(expected, receiver.Points.Where(static point => point.Metric == Duration)
            .GroupBy(static point => point.Attributes["http.response.status_code"].ToString()!)
            .Select(static group => (group.Key, (int)group.Sum(static point => point.Count))).Order());
        Assert.Equal(expected, OnPage(page).GroupBy(static one => one.Status)
            .Select(static group => (group.Key, group.Sum(static one => one.Count))).Order());
        // Each of the three has counted what it left out.
        foreach (string place in (string[])["filter", "filter.traces", "filter.metrics"])
        {
            PlaceCount counted = agent.Counters[place];
            Assert.Equal((60, count, 60 - count), ((int)counted.Produced, (int)counted.Emitted, (int)counted.Filtered));
        }
    }

    [LiveFact("nginx")]
    public async Task Without_conditions_no_place_of_theirs_counts()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port));
        await HttpRequests.SendAsync(server.Port, 3);
        await agent.WaitForServerSpansAsync(3);
        await agent.StopAsync();
        Assert.DoesNotContain(agent.Counters.Keys, static place => place.StartsWith("filter", StringComparison.Ordinal));
    }

    [LiveFact("ip", "ethtool", "curl")]
    public async Task Flows_that_meet_the_conditions_are_printed_and_counted_and_no_others()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        int port = FreePort.Next();
        AgentSettings settings = lab.Agent(
            "socket_filter", ("BEYLA_METRICS_FEATURES", "network,network_flow_packets"),
            ("BEYLA_PROMETHEUS_PORT", port.ToString(CultureInfo.InvariantCulture)));
        await using AgentProcess agent = await AgentProcess.StartAsync(settings with
        {
            Arguments = ["--set", "filter.network={transport: {match: udp}, dst_port: {greater_than: 7600, less_equals: 7602}}"],
        });
        foreach ((int to, int count) in ((int, int)[])[(7600, 5), (7601, 10), (7602, 20), (7603, 5)])
        {
            await Traffic.Datagrams(lab, FlowLab.PeerAddress, to, count, 100);
        }

        await Traffic.Exchange(lab, FlowLab.PeerAddress, 7602, 2, 10);
        Assert.True(
            await Wait.UntilAsync(() => agent.Flows.Sum(static flow => flow.Packets) >= 30, Wait.Hang),
            string.Join('\n', agent.Flows));
        string page = await PageAsync(
            () => lab.RunAsync(lab.Host, "curl", "-s", $"http://127.0.0.1:{port}/metrics"),
            static page => Sum(page, "beyla_network_flow_packets_total") >= 30);
        await agent.StopAsync();

        Assert.Equal(
            [(7601, 10L), (7602, 20L)],
            agent.Flows.GroupBy(static flow => flow.DestinationPort)
                .Select(static group => (group.Key, group.Sum(static flow => flow.Packets))).Order());
        Assert.All(agent.Flows, static flow => Assert.Equal(Transport.Udp, flow.Transport));
        Assert.Equal(
            (30, (double)agent.Flows.Sum(static flow => flow.Bytes)),
            (Sum(page, "beyla_network_flow_packets_total"), Sum(page, "beyla_network_flow_bytes_total")));
        PlaceCount counted = agent.Counters["filter.flows"];
        Assert.Equal(agent.Flows.Count, counted.Emitted);
        // At least the two ports of UDP beside these, and two connections in two directions.
        Assert.True(counted.Filtered >= 6, AgentLog.Describe(counted));
    }

    [LiveFact("nginx")]
    public async Task A_condition_that_is_wrong_ends_the_start_with_its_place()
    {
        await using TestServer server = await Nginx.StartAsync();
        using TempDirectory files = new();
        string file = files.Write("beyla.yml", "filter:\n  application:\n    http.rout: {match: /a}\n");
        AgentSettings settings = AgentSettings.ForPorts(server.Port);
        await using AgentProcess agent = AgentProcess.Launch(settings with { Arguments = ["--config", file], ReadsAsText = true });
        Assert.Equal(2, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains(
            "beyla.yml:3:5): there is no such attribute to filter by; did you mean http.route?", agent.Errors, StringComparison.Ordinal);
    }

    /// <summary>The page as soon as it is as wanted: what was printed is on it a moment later.</summary>
    private static async Task<string> PageAsync(Func<Task<string>> read, Predicate<string> isWanted)
    {
        string page = "";
        for (long end = Environment.TickCount64 + (long)Wait.Hang.TotalMilliseconds; Environment.TickCount64 < end; await Task.Delay(50))
        {
            page = await read();
            if (isWanted(page))
            {
                return page;
            }
        }

        Assert.Fail(page);
        return page;
    }

    private static IEnumerable<(string Status, int Count)> OnPage(string page) => page.Split('\n')
        .Where(static line => line.StartsWith("http_server_request_duration_seconds_count{", StringComparison.Ordinal))
        .Select(static line => (Label(line, "http_response_status_code"), (int)Value(line)));

    private static string Label(string line, string name)
    {
        int start = line.IndexOf(name + "=\"", StringComparison.Ordinal) + name.Length + 2;
        return line[start..line.IndexOf('"', start)];
    }

    private static double Sum(string page, string name) =>
        page.Split('\n').Where(line => line.StartsWith(name + "{", StringComparison.Ordinal)).Sum(Value);

    private static double Value(string line) => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
}
