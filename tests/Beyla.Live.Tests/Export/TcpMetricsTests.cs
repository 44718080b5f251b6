using System.Globalization;
using System.Net.Sockets;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>What connections did is on the page and at the receiver, to the byte.</summary>
public sealed class TcpMetricsTests
{
    private const int Connections = 20, There = 1000, Back = 300, Refused = 3;

    [LiveFact("promtool")]
    public async Task A_page_has_each_connection_of_a_port_and_every_byte()
    {
        (int served, int kept, int closed, int port) = (FreePort.Next(), FreePort.Next(), FreePort.Next(), FreePort.Next());
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.For("BEYLA_METRICS_FEATURES", "stats")
            .With("BEYLA_PROMETHEUS_PORT", port.ToString(CultureInfo.InvariantCulture)) with
            {
                Arguments = ["--set", "attributes.select={'beyla.stat.tcp.*': {include: [reason, network.*, server.port]}}"],
            });
        using TcpExchanges exchanges = new(served), open = new(kept);
        await exchanges.ExchangeAsync(Connections, There, Back);
        (Socket client, Socket server) = await open.OpenAsync(70_000, 1);
        await TcpExchanges.RefuseAsync(closed, Refused);

        string Of(int number) => $"server_port=\"{number}\"";
        // Both ends have told of each byte, of the connection that goes on too. The other test sees whether more would come.
        string page = await PageAsync(port, page =>
            Sum(page, "beyla_stat_tcp_io_bytes_total", Of(served)) >= 2 * Connections * (There + Back)
            && Sum(page, "beyla_stat_tcp_io_bytes_total", Of(kept)) >= 2 * 70_001
            && Sum(page, "beyla_stat_tcp_failed_connections_total", Of(closed)) >= Refused);
        client.Dispose();
        server.Dispose();
        await agent.StopAsync();

        double Count(string metric, int number, params string[] labels) => Sum(page, "beyla_stat_tcp_" + metric, [Of(number), .. labels]);
        foreach ((string role, int sent, int received) in ((string, int, int)[])[("client", There, Back), ("server", Back, There)])
        {
            string label = $"network_tcp_handshake_role=\"{role}\"";
            Assert.Equal(Connections, Count("successful_connections_total", served, label));
            Assert.Equal(Connections * sent, Count("io_bytes_total", served, label, "network_io_direction=\"transmit\""));
            Assert.Equal(Connections * received, Count("io_bytes_total", served, label, "network_io_direction=\"receive\""));
            Assert.True(Count("rtt_seconds_sum", served, label) > 0);
            Assert.Equal(1, Count("successful_connections_total", kept, label));
        }

        Assert.Equal(70_000, Count("io_bytes_total", kept, "role=\"client\"", "\"transmit\""));
        Assert.Equal(70_000, Count("io_bytes_total", kept, "role=\"server\"", "\"receive\""));
        Assert.Equal(2 * 70_001, Count("io_bytes_total", kept));
        Assert.Equal(Refused, Count("failed_connections_total", closed, "reason=\"refused\"", "role=\"client\""));
        Assert.Equal(0, Count("failed_connections_total", served));
        Assert.Equal(0, Count("successful_connections_total", closed));
        Assert.DoesNotContain("127.0.0.1", page, StringComparison.Ordinal);
        Assert.Empty(MetricsPage.Duplicates(page));
        Assert.Equal((0, ""), await MetricsPage.CheckAsync(page));
    }

    [LiveFact("otlp-receiver")]
    public async Task The_receiver_gets_what_meets_the_conditions_and_the_rest_is_counted()
    {
        (int served, int other, int closed) = (FreePort.Next(), FreePort.Next(), FreePort.Next());
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.For("BEYLA_METRICS_FEATURES", "stats")
            .With("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.HttpUrl).With("OTEL_METRIC_EXPORT_INTERVAL", "3600000")
            .With("BEYLA_STATS_CIDRS", "127.0.0.0/8") with
            {
                Arguments =
                [
                    "--set", $"filter.stats={{server_port: {{equals: {served}}}, src.address: {{match: '127.*'}}}}",
                    "--set", "otel_metrics_export.buckets.stat_tcp_rtt_histogram=3600",
                ],
            });
        using TcpExchanges exchanges = new(served), others = new(other);
        await exchanges.ExchangeAsync(Connections, There, Back);
        await others.ExchangeAsync(5, 10, 10);
        await TcpExchanges.RefuseAsync(closed, 1);
        exchanges.Dispose();
        await TcpExchanges.RefuseAsync(served, Refused);
        await agent.StopAsync(ChildProcess.SIGTERM);

        OtlpPoint[] points = [.. OtlpPoint.Of(Assert.Single(await receiver.WaitForRequestsAsync(1, "metrics")))];
        Assert.Equal(
            [
                "beyla.stat.tcp.failed.connections {connection} 3 network.tcp.handshake.role=client reason=refused",
                $"beyla.stat.tcp.io By {Connections * (There + Back)} network.io.direction=receive",
                $"beyla.stat.tcp.io By {Connections * (There + Back)} network.io.direction=transmit",
                "beyla.stat.tcp.successful.connections {connection} 20 network.tcp.handshake.role=client",
                "beyla.stat.tcp.successful.connections {connection} 20 network.tcp.handshake.role=server",
            ],
            points.Where(static point => point.Metric.StartsWith("beyla.stat.tcp.", StringComparison.Ordinal)
                && point.Metric is not ("beyla.stat.tcp.rtt" or "beyla.stat.tcp.retransmits")).Select(Shown).Order(StringComparer.Ordinal));
        Assert.All(points.Where(static point => point.Type == "sum"), static point => Assert.True(point.Monotonic));
        OtlpPoint roundTrips = Assert.Single(points, static point => point.Metric == "beyla.stat.tcp.rtt");
        Assert.Equal(("s", "histogram", 2, "beyla"),
            (roundTrips.Unit, roundTrips.Type, roundTrips.Temporality, roundTrips.Resource["service.name"]));
        Assert.Equal((double[])[3600], roundTrips.Bounds);
        Assert.Equal((long[])[roundTrips.Count, 0], roundTrips.Buckets);
        Assert.InRange(roundTrips.Count, 2 * Connections, int.MaxValue);

        // Of each end its beginning and, as often as it was told of later, a round-trip time.
        PlaceCount counted = agent.Counters["filter.statistics"];
        Assert.Equal(2 * Connections + roundTrips.Count + Refused, counted.Emitted);
        Assert.InRange(counted.Filtered, 2 * 2 * 5 + 1, int.MaxValue);
        Assert.Equal(agent.Counters["statistics"].Emitted, counted.Produced);
    }

    /// <summary>Name, unit, value and attributes of a sum. The blocks of both ends are this host's.</summary>
    private static string Shown(OtlpPoint point)
    {
        Assert.Equal(("127.0.0.0/8", "127.0.0.0/8"), (point.Attributes["src.cidr"], point.Attributes["dst.cidr"]));
        return $"{point.Metric} {point.Unit} {point.Value} " + string.Join(' ', point.Attributes
            .Where(static one => !one.Key.EndsWith(".cidr", StringComparison.Ordinal))
            .Select(static one => $"{one.Key}={one.Value}").Order(StringComparer.Ordinal));
    }

    private static double Sum(string page, string name, params string[] labels) => MetricsPage.Sum(page, name, labels);

    private static async Task<string> PageAsync(int port, Func<string, bool> isWanted)
    {
        using HttpClient client = new();
        string page = "";
        for (long end = Environment.TickCount64 + (long)Wait.Hang.TotalMilliseconds; Environment.TickCount64 < end; await Task.Delay(50))
        {
            page = await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"));
            if (isWanted(page))
            {
                return page;
            }
        }

        Assert.Fail(page);
        return page;
    }
}
