using Beyla.Agent.Configuration;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Metrics;

/// <summary>Services whose rule says which groups of metrics they have.</summary>
public sealed class ServiceFeaturesTests
{
    private static readonly SpanData Request = Samples.Client with { Kind = SpanKind.Server };

    [Theory]
    [InlineData(MetricFeatures.None, "")]
    [InlineData(MetricFeatures.Application, "http_server_request_duration_seconds_count")]
    [InlineData(MetricFeatures.ApplicationSpan, "traces_spanmetrics_calls_total")]
    [InlineData(MetricFeatures.ApplicationSpanOtel, "traces_span_metrics_calls_total")]
    [InlineData(MetricFeatures.ApplicationSpanSizes, "traces_spanmetrics_size_total")]
    [InlineData(MetricFeatures.Application | MetricFeatures.ApplicationServiceGraph,
        "http_server_request_duration_seconds_count traces_service_graph_request_total")]
    public void A_service_has_its_own_groups_and_the_others_those_of_all(MetricFeatures own, string expected)
    {
        string[] all =
        [
            "http_server_request_duration_seconds_count", "traces_service_graph_request_total", "traces_span_metrics_calls_total",
            "traces_spanmetrics_calls_total", "traces_spanmetrics_size_total",
        ];
        var rig = new MetricRig(
            MetricFeatures.Application, serviceFeatures: own, processes: [Samples.Web with { Features = own }, Samples.Plain]);
        rig.Add(Request, 3);
        Assert.Equal(expected, string.Join(' ', all.Where(name => rig.Some(name).Length > 0)));
        Assert.All(all.SelectMany(name => rig.Some(name)).Where(sample => !sample.Key.Contains("size", StringComparison.Ordinal)),
            sample => Assert.Equal(3, sample.Value));

        // One whose rule says nothing.
        rig.Add(Request with { Pid = Samples.Plain.Pid });
        Assert.Equal(1, rig.One("http_server_request_duration_seconds_count", "job=\"nginx\""));
        Assert.DoesNotContain(
            all[1..].SelectMany(name => rig.Some(name)), sample => sample.Key.Contains("nginx", StringComparison.Ordinal));
    }
}
