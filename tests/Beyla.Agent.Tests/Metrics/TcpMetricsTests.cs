using System.Text.Json;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Export.Prometheus;
using Beyla.Agent.Metrics;
using Beyla.Agent.Spans;
using Beyla.Agent.Statistics;
using Beyla.Agent.Tests.Configuration;
using Beyla.Agent.Tests.Statistics;

namespace Beyla.Agent.Tests.Metrics;

/// <summary>
/// Names, units, labels and bounds are those of Grafana Beyla: https://opentelemetry.io/docs/zero-code/obi/metrics, with its prefix.
/// </summary>
public sealed class TcpMetricsTests
{
    private const string Anyone = "{job=\"beyla\",instance=\"AGENT\"";

    [Fact]
    public void A_page_of_some_connections()
    {
        var rig = new Rig(MetricFeatures.OfStatistics);
        rig.Add(
            Connections.Client(TcpStatisticKind.Established), Connections.Server(TcpStatisticKind.Established),
            Connections.Server(TcpStatisticKind.Established),
            // 500 µs are the last of the first bucket, 501 the first of the second; two seconds are beyond all; 0 is none.
            Connections.Client(TcpStatisticKind.Closed) with { Sent = 100, Received = 2000, Retransmits = 3, RoundTrip = 500 },
            Connections.Server(TcpStatisticKind.Open) with { Sent = 7, Received = 11, RoundTrip = 501 },
            Connections.Server(TcpStatisticKind.Closed) with { Sent = 1, RoundTrip = 2_000_000 },
            Connections.Server(TcpStatisticKind.Open) with { Received = 1 },
            Connections.Failed(110) with { Retransmits = 6, RoundTrip = 9 });
        Assert.Equal(
            [
                "# TYPE beyla_stat_tcp_rtt_seconds histogram",
                $"beyla_stat_tcp_rtt_seconds_bucket{Anyone},le=\"0.0005\"}} 1",
                .. ((string[])["0.001", "0.002", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0"]).Select(
                    static bound => $"beyla_stat_tcp_rtt_seconds_bucket{Anyone},le=\"{bound}\"}} 2"),
                $"beyla_stat_tcp_rtt_seconds_bucket{Anyone},le=\"+Inf\"}} 3",
                $"beyla_stat_tcp_rtt_seconds_sum{Anyone}}} 2.001001",
                $"beyla_stat_tcp_rtt_seconds_count{Anyone}}} 3",
                "# TYPE beyla_stat_tcp_failed_connections_total counter",
                $"beyla_stat_tcp_failed_connections_total{Anyone},reason=\"timed-out\",network_tcp_handshake_role=\"client\"}} 1",
                "# TYPE beyla_stat_tcp_successful_connections_total counter",
                $"beyla_stat_tcp_successful_connections_total{Anyone},network_tcp_handshake_role=\"client\"}} 1",
                $"beyla_stat_tcp_successful_connections_total{Anyone},network_tcp_handshake_role=\"server\"}} 2",
                "# TYPE beyla_stat_tcp_retransmits_total counter",
                $"beyla_stat_tcp_retransmits_total{Anyone}}} 9",
                "# TYPE beyla_stat_tcp_io_bytes_total counter",
                $"beyla_stat_tcp_io_bytes_total{Anyone},network_io_direction=\"transmit\"}} 108",
                $"beyla_stat_tcp_io_bytes_total{Anyone},network_io_direction=\"receive\"}} 2012",
            ],
            rig.Lines());
    }

    /// <summary>Numbers as errno(3) has them on x86 and ARM.</summary>
    [Theory]
    [InlineData(111, "refused")] // ECONNREFUSED
    [InlineData(104, "reset")] // ECONNRESET
    [InlineData(110, "timed-out")] // ETIMEDOUT
    [InlineData(113, "host-unreachable")] // EHOSTUNREACH
    [InlineData(101, "net-unreachable")] // ENETUNREACH
    [InlineData(13, "other")] // EACCES
    [InlineData(0, "canceled")]
    public void Why_a_connection_was_not_made(ushort error, string reason)
    {
        var rig = new Rig(MetricFeatures.StatsTcpFailedConnections);
        rig.Add(Connections.Failed(error), Connections.Failed(error));
        Assert.EndsWith($",reason=\"{reason}\",network_tcp_handshake_role=\"client\"}} 2", rig.Lines()[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MetricFeatures.StatsTcpRtt, "beyla_stat_tcp_rtt_seconds")]
    [InlineData(MetricFeatures.StatsTcpFailedConnections, "beyla_stat_tcp_failed_connections_total")]
    [InlineData(MetricFeatures.StatsTcpSuccessfulConnections, "beyla_stat_tcp_successful_connections_total")]
    [InlineData(MetricFeatures.StatsTcpRetransmits, "beyla_stat_tcp_retransmits_total")]
    [InlineData(MetricFeatures.StatsTcpIo, "beyla_stat_tcp_io_bytes_total")]
    public void Each_has_a_group_of_its_own(MetricFeatures feature, string name)
    {
        var rig = new Rig(feature);
        rig.Add(
            Connections.Client(TcpStatisticKind.Established), Connections.Failed(0),
            Connections.Client(TcpStatisticKind.Closed) with { RoundTrip = 1 });
        Assert.All(rig.Lines().Where(static line => line[0] != '#'), line => Assert.StartsWith(name, line, StringComparison.Ordinal));
        Assert.Single(rig.Lines(), static line => line[0] == '#');
    }

    /// <summary>rate() takes what a counter has when it is seen first for its beginning.</summary>
    [Fact]
    public void Counters_of_a_new_connection_begin_with_zero()
    {
        var rig = new Rig(MetricFeatures.StatsTcpIo | MetricFeatures.StatsTcpRetransmits);
        rig.Add(Connections.Server(TcpStatisticKind.Established));
        string[] samples = [.. rig.Lines().Where(static line => line[0] != '#')];
        Assert.Equal(3, samples.Length);
        Assert.All(samples, static line => Assert.EndsWith("} 0", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Ports_and_roles_are_there_where_somebody_asks_and_blocks_where_somebody_names_them()
    {
        var rig = new Rig(
            MetricFeatures.StatsTcpIo | MetricFeatures.StatsTcpSuccessfulConnections,
            "{beyla_stat_tcp_io_bytes_total: {include: ['*']}, beyla.stat.tcp.successful.connections: {include: [server.port, dst.cidr]}}",
            "[{cidr: 10.0.0.0/8, name: lan}, {cidr: 192.0.2.0/24, name: web}]");
        rig.Add(
            Connections.Client(TcpStatisticKind.Established), Connections.Server(TcpStatisticKind.Established),
            Connections.Server(TcpStatisticKind.Closed) with { Role = TcpRole.Unknown, Sent = 5 });
        Assert.Equal(
            [
                "# TYPE beyla_stat_tcp_successful_connections_total counter",
                $"beyla_stat_tcp_successful_connections_total{Anyone},server_port=\"443\"}} 1",
                $"beyla_stat_tcp_successful_connections_total{Anyone},dst_cidr=\"web\",server_port=\"443\"}} 1",
                "# TYPE beyla_stat_tcp_io_bytes_total counter",
                .. Io("transmit", 0, 0, 5), .. Io("receive", 0, 0, 0),
            ],
            rig.Lines().Order(Comparer<string>.Create(ByDirection)));

        string[] Io(string way, int client, int server, int unknown)
        {
            var start = $"beyla_stat_tcp_io_bytes_total{Anyone},network_io_direction=\"{way}\",src_cidr=\"lan\",";
            const string Role = "network_tcp_handshake_role";
            return
            [
                start + $"{Role}=\"client\",src_port=\"40000\",dst_port=\"443\",server_port=\"443\",client_port=\"40000\"}} {client}",
                start + $"dst_cidr=\"web\",{Role}=\"server\",src_port=\"443\",dst_port=\"50000\","
                    + $"server_port=\"443\",client_port=\"50000\"}} {server}",
                start + $"dst_cidr=\"web\",{Role}=\"unknown\",src_port=\"443\",dst_port=\"50000\"}} {unknown}",
            ];
        }

        // The sort is stable: what is received goes behind what is sent.
        static int ByDirection(string a, string b) => Receives(a).CompareTo(Receives(b));
        static bool Receives(string line) => line.Contains("\"receive\"", StringComparison.Ordinal);
    }

    [Fact]
    public void By_OTLP_they_are_sums_and_a_histogram_with_numbers_for_ports()
    {
        var rig = new Rig(MetricFeatures.OfStatistics, "{'beyla.stat.tcp.*': {include: ['*port', reason]}}", bounds: [0.1, 0.25]);
        rig.Add(Connections.Server(TcpStatisticKind.Closed) with { Sent = 3, RoundTrip = 100_001 }, Connections.Failed(111));
        var metrics = rig.Sent();
        Assert.Equal(
            (string[])["beyla.stat.tcp.rtt s", "beyla.stat.tcp.failed.connections {connection}", "beyla.stat.tcp.retransmits {segment}",
                "beyla.stat.tcp.io By"],
            metrics.Select(static metric => $"{metric.GetProperty("name").GetString()} {metric.GetProperty("unit").GetString()}"));
        var histogram = metrics[0].GetProperty("histogram").GetProperty("dataPoints")[0];
        Assert.Equal("[0.1,0.25]", histogram.GetProperty("explicitBounds").GetRawText());
        Assert.Equal("[\"0\",\"1\",\"0\"]", histogram.GetProperty("bucketCounts").GetRawText());
        Assert.Equal(0.100001, histogram.GetProperty("sum").GetDouble());
        Assert.False(histogram.TryGetProperty("exemplars", out _));
        var failed = metrics[1].GetProperty("sum");
        Assert.True(failed.GetProperty("isMonotonic").GetBoolean());
        Assert.Equal("1", failed.GetProperty("dataPoints")[0].GetProperty("asInt").GetString());
        Assert.Equal(
            """
            [{"key":"reason","value":{"stringValue":"refused"}},{"key":"src.port","value":{"intValue":"40000"}},
            {"key":"dst.port","value":{"intValue":"443"}},{"key":"server.port","value":{"intValue":"443"}},
            {"key":"client.port","value":{"intValue":"40000"}}]
            """.ReplaceLineEndings(""),
            failed.GetProperty("dataPoints")[0].GetProperty("attributes").GetRawText());
    }

    [Fact]
    public void Ports_beyond_the_limit_are_one_series_and_the_sum_stays_right()
    {
        var rig = new Rig(MetricFeatures.StatsTcpSuccessfulConnections, "{'*': {include: [src.port]}}", cardinality: 10);
        for (ushort port = 1; port <= 25; port++)
        {
            rig.Add(Connections.Client(TcpStatisticKind.Established) with { LocalPort = port });
        }

        var samples = rig.Lines().Where(static line => line[0] != '#').ToList();
        Assert.Equal(11, samples.Count);
        Assert.Contains($"beyla_stat_tcp_successful_connections_total{Anyone},otel_metric_overflow=\"true\"}} 15", samples);
        Assert.Contains("beyla_metrics_folded_total" + Anyone + ",metric=\"beyla.stat.tcp.successful.connections\"} 15", rig.Page());
    }

    [Fact]
    public void A_known_connection_allocates_nothing()
    {
        var rig = new Rig(MetricFeatures.OfStatistics, "{'*': {include: ['*']}}", "[{cidr: 10.0.0.0/8, name: lan}]");
        var (made, failed) = (Connections.Client(TcpStatisticKind.Established), Connections.Failed(111));
        var closed = Connections.Server(TcpStatisticKind.Closed) with { Sent = 1, RoundTrip = 20 };
        Assert.Equal(0, Allocation.Least(_ =>
        {
            for (var i = 0; i < 100; i++)
            {
                rig.Metrics.OnStatistic(in made);
                rig.Metrics.OnStatistic(in closed);
                rig.Metrics.OnStatistic(in failed);
            }
        }));
    }

    /// <summary>There are no spans then, whose stage does it otherwise.</summary>
    [Theory]
    [InlineData("stats", true)]
    [InlineData("network", true)]
    [InlineData("application,stats", false)]
    [InlineData("application", false)]
    public void Series_end_by_the_clock_though_nobody_makes_metrics_of_spans(string features, bool isNeeded)
    {
        var configuration = Loaded.Environment(("BEYLA_PROMETHEUS_PORT", "9464"), ("BEYLA_METRICS_FEATURES", features)).Configuration;
        var intake = new MetricIntake(configuration, new ServiceResources(MetricRig.Host, "1", static _ => 77), MetricRig.Host, "1");
        Assert.Equal(isNeeded, intake.Clock is not null);
        if (features != "stats")
        {
            return;
        }

        intake.Statistics!.OnStatistic(Connections.Client(TcpStatisticKind.Established));
        var now = Environment.TickCount64;
        intake.Clock!.Tick(now);
        Assert.NotEmpty(intake.Store.Families.Single(static family => family.Definition.Name == "beyla.stat.tcp.io").Series);
        Assert.InRange(intake.Clock.Tick(now + 301_000), now + 301_001, now + 311_000); // five minutes are the default
        Assert.Empty(intake.Store.Families.Single(static family => family.Definition.Name == "beyla.stat.tcp.io").Series);
    }

    private sealed class Rig
    {
        private readonly MetricStore store;

        public Rig(
            MetricFeatures features, string select = "{}", string cidrs = "[]", double[]? bounds = null, int cardinality = 2000)
        {
            store = new MetricStore(
                new() { Attributes = AttributeSelectionTests.Of(select), Cardinality = cardinality, Exemplars = ExemplarFilter.AlwaysOn },
                AgentResource.Of(MetricRig.Host, "1"));
            Metrics = new TcpMetrics(store, features, bounds, Loaded.From($"stats: {{cidrs: {cidrs}}}").Configuration.Statistics.Cidrs);
        }

        public TcpMetrics Metrics { get; }

        public void Add(params TcpStatistic[] statistics)
        {
            foreach (ref readonly var statistic in statistics.AsSpan())
            {
                Metrics.OnStatistic(in statistic);
            }

            Metrics.Flush();
        }

        public string Page()
        {
            using var buffer = new PageBuffer();
            new MetricsPage(store).Write(buffer, PageFormat.Text);
            var page = System.Text.Encoding.UTF8.GetString(buffer.Written);
            return page.Replace(store.Agent.Instance, "AGENT", StringComparison.Ordinal);
        }

        /// <summary>Of the page what is about TCP, without descriptions.</summary>
        public string[] Lines() => [.. Page().Split('\n').Where(static line =>
            line.StartsWith("beyla_stat_", StringComparison.Ordinal) || line.StartsWith("# TYPE beyla_stat_", StringComparison.Ordinal))];

        /// <summary>The metrics as they are sent, in their order.</summary>
        public JsonElement[] Sent()
        {
            var writer = new ProtobufWriter();
            using (store.Enter())
            {
                _ = new MetricEncoder("1").Write(store, writer, MetricStore.Time);
            }

            using var json = JsonDocument.Parse(OtlpJson.Encode(writer.Written, OtlpSignal.Metrics));
            var resource = Assert.Single(json.RootElement.Clone().GetProperty("resourceMetrics").EnumerateArray());
            return [.. Assert.Single(resource.GetProperty("scopeMetrics").EnumerateArray()).GetProperty("metrics").EnumerateArray()];
        }
    }
}
