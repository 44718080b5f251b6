using System.Net;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

public sealed class MetricsTests
{
    [Fact]
    public void Nothing_is_served_unless_a_port_is_set()
    {
        var metrics = Loaded.From().Configuration.Metrics;
        Assert.False(metrics.IsServed);
        Assert.Equal((MetricFeatures.Application, "/metrics", TimeSpan.FromMinutes(5), false, ExemplarFilter.TraceBased),
            (metrics.Features, metrics.Path, metrics.Idle, metrics.ExpiresOfLiving, metrics.Exemplars));
        Assert.Null(metrics.Durations);
        Assert.False(Loaded.From().Configuration.Exports);
    }

    [Fact]
    public void A_port_is_enough_to_start_and_is_this_hosts_alone()
    {
        var loaded = Loaded.Environment(("BEYLA_OPEN_PORT", "8080"), ("BEYLA_PROMETHEUS_PORT", "9464"));
        var configuration = loaded.ConfigurationToStart;
        Assert.True(configuration.Exports);
        Assert.True(configuration.Metrics.TakesSpans);
        Assert.Equal((9464, IPAddress.Loopback), (configuration.Metrics.Port, configuration.Metrics.Address));
        Assert.Empty(loaded.Warnings);
    }

    [Theory]
    [InlineData("BEYLA_PROMETHEUS_HOST", "0.0.0.0", "0.0.0.0")]
    [InlineData("OTEL_EXPORTER_PROMETHEUS_HOST", "::", "::")]
    [InlineData("OTEL_EXPORTER_PROMETHEUS_HOST", "localhost", "127.0.0.1")]
    public void Another_address_opens_it(string variable, string value, string address) => Assert.Equal(
        IPAddress.Parse(address), Loaded.Environment((variable, value)).Configuration.Metrics.Address);

    [Theory]
    [InlineData("BEYLA_PROMETHEUS_HOST", "example.com")]
    [InlineData("BEYLA_PROMETHEUS_HOST", "1")]
    [InlineData("BEYLA_PROMETHEUS_PATH", "metrics")]
    [InlineData("BEYLA_PROMETHEUS_PATH", "/a b")]
    [InlineData("BEYLA_PROMETHEUS_PORT", "70000")]
    [InlineData("BEYLA_METRICS_FEATURES", "aplication")]
    [InlineData("BEYLA_METRICS_FEATURES", "application_span,application_span_otel")]
    [InlineData("BEYLA_PROMETHEUS_EXEMPLAR_FILTER", "sometimes")]
    [InlineData("BEYLA_INTERNAL_METRICS_EXPORTER", "prometheus")] // and no port
    [InlineData("BEYLA_INTERNAL_METRICS_EXPORTER", "otel")] // and no endpoint
    public void What_cannot_be_used_is_a_problem(string variable, string value) =>
        Assert.Contains(variable, Assert.Single(Loaded.Environment((variable, value)).Problems), StringComparison.Ordinal);

    [Theory]
    [InlineData("[0.1, 0.1]")]
    [InlineData("[1, 0.5]")]
    [InlineData("[a]")]
    [InlineData("[.inf]")]
    public void Bounds_have_to_rise(string bounds) =>
        Assert.Single(Loaded.From($"prometheus_export:\n  buckets:\n    duration_histogram: {bounds}\n").Problems);

    [Fact]
    public void Features_and_bounds_are_taken()
    {
        var metrics = Loaded.From("""
            prometheus_export:
              port: 9464
              ttl: 1m
              buckets:
                duration_histogram: [0.1, 1, 10]
            metrics:
              features: [application_span, application_service_graph, network]
            """).Configuration.Metrics;
        Assert.Equal(
            MetricFeatures.ApplicationSpan | MetricFeatures.ApplicationServiceGraph | MetricFeatures.Network, metrics.Features);
        Assert.Equal([0.1, 1, 10], metrics.Durations!);
        Assert.True(metrics.ExpiresOfLiving);
    }

    /// <summary>As in the peer: naming the metrics of flows is asking for flows.</summary>
    [Fact]
    public void Metrics_of_flows_ask_for_flows()
    {
        var configuration = Loaded.Environment(
            ("BEYLA_METRICS_FEATURES", "network"), ("BEYLA_PROMETHEUS_PORT", "9464")).ConfigurationToStart;
        Assert.True(configuration.Network.Enabled);
        Assert.True(configuration.Metrics.TakesFlows);
        Assert.False(configuration.Metrics.TakesSpans);
        Assert.False(Loaded.Environment(("BEYLA_METRICS_FEATURES", "application")).Configuration.Network.Enabled);
        Assert.True(Loaded.Environment(("BEYLA_NETWORK_METRICS", "true"), ("BEYLA_PROMETHEUS_PORT", "9464")).ConfigurationToStart
            .Metrics.TakesFlows);
    }

    /// <summary>What both exporters have a key for holds for both, whichever says it.</summary>
    [Fact]
    public void Keys_of_the_other_exporter_count_where_those_of_the_page_say_nothing()
    {
        var loaded = Loaded.From(
            """
            otel_metrics_export:
              ttl: 90s
              features: [application_span]
              instrumentations: [sql]
              allow_service_graph_self_references: true
              buckets: {duration_histogram: [0.5, 2]}
            """);
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.Warnings);
        var metrics = loaded.Configuration.Metrics;
        Assert.Equal((TimeSpan.FromSeconds(90), true, MetricFeatures.ApplicationSpan, true),
            (metrics.Idle, metrics.ExpiresOfLiving, metrics.Features, metrics.HasSelfReferences));
        Assert.Equal([0.5, 2], metrics.Durations!);
        Assert.Equal(["sql"], metrics.Instrumentations!);
    }

    [Fact]
    public void Where_both_say_something_else_the_page_counts_and_that_is_told()
    {
        var loaded = Loaded.Environment(("BEYLA_METRICS_TTL", "90s"), ("BEYLA_PROMETHEUS_TTL", "60s"));
        Assert.Equal(TimeSpan.FromSeconds(60), loaded.Configuration.Metrics.Idle);
        Assert.StartsWith(
            "otel_metrics_export.ttl (environment BEYLA_METRICS_TTL) has no effect: prometheus_export.ttl "
            + "(environment BEYLA_PROMETHEUS_TTL)",
            Assert.Single(loaded.Warnings), StringComparison.Ordinal);
        Assert.Empty(Loaded.Environment(("BEYLA_METRICS_TTL", "60s"), ("BEYLA_PROMETHEUS_TTL", "60s")).Warnings);
    }

    [Fact]
    public void What_is_not_built_is_warned_of()
    {
        var loaded = Loaded.Environment(("BEYLA_METRICS_FEATURES", "application,application_host,application_runtime,network_inter_zone"));
        Assert.Empty(loaded.Problems);
        Assert.Equal(2, loaded.Warnings.Count);
        Assert.Equal(MetricFeatures.Application | MetricFeatures.ApplicationHost, loaded.Configuration.Metrics.Features);
    }

    [Fact]
    public void The_agents_own_page_is_at_the_same_port_unless_it_has_one()
    {
        var same = Loaded.Environment(("BEYLA_PROMETHEUS_PORT", "9464"), ("BEYLA_INTERNAL_METRICS_EXPORTER", "prometheus")).Configuration;
        Assert.Equal((9464, "/internal/metrics"), (same.Metrics.InternalPort, same.Metrics.InternalPath));
        var other = Loaded.Environment(
            ("BEYLA_INTERNAL_METRICS_EXPORTER", "prometheus"), ("BEYLA_INTERNAL_METRICS_PROMETHEUS_PORT", "9465")).Configuration;
        Assert.Equal((9465, true, false), (other.Metrics.InternalPort, other.Exports, other.Metrics.TakesSpans));
        Assert.Single(Loaded.Environment(
            ("BEYLA_PROMETHEUS_PORT", "9464"), ("BEYLA_INTERNAL_METRICS_EXPORTER", "prometheus"),
            ("BEYLA_INTERNAL_METRICS_PROMETHEUS_PATH", "/metrics")).Problems);
    }
}
