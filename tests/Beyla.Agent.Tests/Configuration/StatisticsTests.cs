using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>TCP statistics: <c>stats</c>, and the groups of metrics that are made of them, as Grafana Beyla names them.</summary>
public sealed class StatisticsTests
{
    private static readonly (string, string) Page = ("BEYLA_PROMETHEUS_PORT", "9464");

    [Theory]
    [InlineData("stats", MetricFeatures.OfStatistics)]
    [InlineData("stats_tcp_rtt", MetricFeatures.StatsTcpRtt)]
    [InlineData("stats_tcp_failed_connections", MetricFeatures.StatsTcpFailedConnections)]
    [InlineData("stats_tcp_successful_connections", MetricFeatures.StatsTcpSuccessfulConnections)]
    [InlineData("stats_tcp_retransmits", MetricFeatures.StatsTcpRetransmits)]
    [InlineData("stats_tcp_io", MetricFeatures.StatsTcpIo)]
    [InlineData("stats_tcp_io, stats_tcp_rtt", MetricFeatures.StatsTcpIo | MetricFeatures.StatsTcpRtt)]
    public void A_group_that_somebody_gets_is_counted(string features, MetricFeatures expected)
    {
        foreach (var way in ((string, string)[])[Page, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h")])
        {
            var loaded = Loaded.Environment(("BEYLA_METRICS_FEATURES", features), way);
            Assert.Empty(loaded.Problems);
            Assert.Empty(loaded.Warnings);
            var configuration = loaded.Configuration;
            Assert.Equal(
                (expected, true, true, false, false),
                (configuration.Metrics.Features, configuration.Metrics.TakesStatistics, configuration.Statistics.Enabled,
                    configuration.Statistics.Print, configuration.Network.Enabled));
        }
    }

    [Theory]
    [InlineData("all", true)]
    [InlineData("*", true)]
    [InlineData("application,network", false)]
    [InlineData("application", false)]
    public void They_are_a_part_of_all_and_of_nothing_else(string features, bool isCounted) => Assert.Equal(
        isCounted, Loaded.Environment(("BEYLA_METRICS_FEATURES", features), Page).Configuration.Statistics.Enabled);

    [Theory]
    [InlineData("BEYLA_TRACE_PRINTER", "text")]
    [InlineData("BEYLA_OPEN_PORT", "")] // nothing else is watched
    public void Nothing_is_counted_that_nobody_gets_and_that_is_told_once(string variable, string value)
    {
        var loaded = Loaded.Environment(
            ("BEYLA_METRICS_FEATURES", "stats"), (variable, value), value.Length > 0 ? ("BEYLA_OPEN_PORT", "80") : ("HOME", "/root"));
        Assert.Empty(loaded.Problems);
        Assert.False(loaded.Configuration.Statistics.Enabled);
        Assert.StartsWith(
            "metrics.features names TCP statistics but they would go nowhere: set BEYLA_PROMETHEUS_PORT or OTEL_EXPORTER_OTLP_ENDPOINT",
            Assert.Single(loaded.StartProblems), StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_need_no_metrics()
    {
        var loaded = Loaded.Environment(("BEYLA_OPEN_PORT", "80"), ("BEYLA_TRACE_PRINTER", "text"), ("BEYLA_STATS_PRINT_STATS", "true"));
        Assert.Empty(loaded.Warnings);
        Assert.Empty(loaded.StartProblems);
        var statistics = loaded.Configuration.Statistics;
        Assert.Equal((true, true, false), (statistics.Enabled, statistics.Print, loaded.Configuration.Metrics.TakesStatistics));
    }

    [Fact]
    public void Blocks_of_addresses_are_not_those_of_flows()
    {
        var loaded = Loaded.From(
            """
            network: {cidrs: [10.0.0.0/8]}
            stats: {cidrs: [192.0.2.0/24, {cidr: fd00::/8, name: lan}]}
            """);
        Assert.Empty(loaded.Warnings);
        Assert.Equal(["192.0.2.0/24", "lan"], loaded.Configuration.Statistics.Cidrs.Select(static network => network.Label));
        Assert.Equal(["10.0.0.0/8"], loaded.Configuration.Network.Cidrs.Select(static network => network.Label));
        Assert.Equal(
            ["172.16.0.0/12"],
            Loaded.Environment(("BEYLA_STATS_CIDRS", "172.16.0.0/12")).Configuration.Statistics.Cidrs.Select(static one => one.Label));
    }

    [Theory]
    [InlineData("prometheus_export")]
    [InlineData("otel_metrics_export")]
    public void Bounds_of_round_trips_are_said_by_either_exporter(string exporter)
    {
        var loaded = Loaded.From($"{exporter}: {{buckets: {{stat_tcp_rtt_histogram: [0.001, 0.1]}}}}");
        Assert.Empty(loaded.Warnings);
        Assert.Equal([0.001, 0.1], loaded.Configuration.Metrics.RoundTrips!);
        Assert.Null(loaded.Configuration.Metrics.Durations);
        Assert.Null(Loaded.From().Configuration.Metrics.RoundTrips);
        Assert.Single(Loaded.From($"{exporter}: {{buckets: {{stat_tcp_rtt_histogram: [1, 0.1]}}}}").Problems);
    }

    [Theory]
    [InlineData("stats: {agent_ip: 192.0.2.1}", "no address is in metrics of TCP")]
    [InlineData("stats: {agent_ip_type: ipv6}", "no address is in metrics of TCP")]
    [InlineData("stats: {geo_ip: {cache_len: 5}}", "stats.cidrs")]
    [InlineData("stats: {reverse_dns: {type: local}}", "stats.cidrs names blocks of addresses")]
    [InlineData("ebpf: {stats_wakeup_data_bytes: 5}", "by the clock")]
    public void What_has_no_effect_says_why(string yaml, string reason) =>
        Assert.Contains(reason, Assert.Single(Loaded.From(yaml).Warnings), StringComparison.Ordinal);
}
