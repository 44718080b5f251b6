using Beyla.Agent.Export.Prometheus;
using Beyla.Agent.Metrics;

namespace Beyla.Agent.Tests.Export.Prometheus;

/// <summary>OpenTelemetry specification 1.60, "Prometheus and OpenMetrics Compatibility".</summary>
public sealed class PrometheusNamesTests
{
    [Theory]
    [InlineData("http.server.request.duration", "s", MetricKind.Histogram, "http_server_request_duration_seconds")]
    [InlineData("beyla.network.flow.bytes", "By", MetricKind.Counter, "beyla_network_flow_bytes")]
    [InlineData("process.cpu.utilization", "1", MetricKind.Gauge, "process_cpu_utilization_ratio")]
    [InlineData("process.cpu.utilization", "1", MetricKind.Counter, "process_cpu_utilization")]
    [InlineData("beyla.network.flow.packets", "{packet}", MetricKind.Counter, "beyla_network_flow_packets")]
    [InlineData("a.total", "", MetricKind.Counter, "a")]
    [InlineData("a..b--c", "", MetricKind.Gauge, "a_b_c")]
    [InlineData("a:b", "", MetricKind.Gauge, "a:b")]
    [InlineData("2xx", "", MetricKind.Gauge, "_2xx")]
    [InlineData("speed", "m/s", MetricKind.Gauge, "speed_meters_per_second")]
    [InlineData("db.client.operation.duration", "ms", MetricKind.Histogram, "db_client_operation_duration_milliseconds")]
    public void A_name_has_its_unit_behind_it(string name, string unit, MetricKind kind, string expected) => Assert.Equal(
        expected, PrometheusNames.Of(new() { Name = name, Unit = unit, Kind = kind, Description = "", Attributes = [] }));

    [Theory]
    [InlineData("http.request.method", "http_request_method")]
    [InlineData("a:b", "a_b")]
    [InlineData("1st", "key_1st")]
    [InlineData("_private", "key_private")]
    [InlineData("größe", "gr_e")]
    public void A_label_is_letters_digits_and_underscores(string attribute, string expected) =>
        Assert.Equal(expected, PrometheusNames.Label(attribute));
}
