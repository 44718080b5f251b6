using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>
/// Where, how and whether metrics are sent (OpenTelemetry specification, "OpenTelemetry Protocol Exporter", "Environment Variable
/// Specification", "Metrics Exporter - OTLP").
/// </summary>
public sealed class SentMetricsTests
{
    private const string General = "OTEL_EXPORTER_OTLP_ENDPOINT", Own = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

    [Theory]
    [InlineData(General, "http://h:4318", "http://h:4318/v1/metrics", OtlpProtocol.HttpProtobuf)]
    [InlineData(General, "https://h/mycollector/", "https://h/mycollector/v1/metrics", OtlpProtocol.HttpProtobuf)]
    [InlineData(General, "h:4317", "https://h:4317/", OtlpProtocol.Grpc)]
    [InlineData(Own, "http://h:4318", "http://h:4318/", OtlpProtocol.HttpProtobuf)]
    [InlineData(Own, "http://h:4318/my/own", "http://h:4318/my/own", OtlpProtocol.HttpProtobuf)]
    [InlineData(Own, "http://h:4317", "http://h:4317/", OtlpProtocol.Grpc)]
    public void The_general_endpoint_is_a_base_and_the_own_one_is_taken_as_it_is(
        string variable, string value, string url, OtlpProtocol protocol)
    {
        var otlp = Sent((variable, value))!.Otlp;
        Assert.Equal((url, protocol), (otlp.Endpoint.AbsoluteUri, otlp.Protocol));
    }

    [Fact]
    public void The_general_endpoint_sends_both_and_the_own_one_metrics_alone()
    {
        Assert.NotNull(Loaded.Environment((General, "http://h")).Configuration.Traces);
        var loaded = Loaded.Environment((Own, "http://h"), ("BEYLA_OPEN_PORT", "80"));
        Assert.Null(loaded.Configuration.Traces);
        Assert.True(loaded.Configuration is { Exports: true, Metrics: { TakesSpans: true, IsServed: false } });
        Assert.Empty(loaded.StartProblems);
        // Flows go somewhere too.
        Assert.Empty(Loaded.Environment((Own, "http://h"), ("BEYLA_NETWORK_METRICS", "true")).StartProblems);
        Assert.Null(Sent());
        Assert.Null(Sent(("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://h"), ("OTEL_EXPORTER_OTLP_HEADERS", "a=b")));
    }

    [Fact]
    public void Each_setting_of_metrics_goes_before_the_general_one()
    {
        (string, string)[] general = [(General, "http://general"), ("OTEL_EXPORTER_OTLP_HEADERS", "g=1"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"), ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/g.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/gc.pem"), ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/gk.pem")];
        var otlp = Sent(general)!.Otlp;
        Assert.Equal(
            ("g", OtlpProtocol.HttpJson, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2), true, "/g.pem", "/gc.pem", "/gk.pem"),
            (Assert.Single(otlp.Headers).Key, otlp.Protocol, otlp.Timeout, otlp.GiveUpAfter, otlp.Compress, otlp.RootsFile,
                otlp.ClientCertificateFile, otlp.ClientKeyFile));
        (string, string)[] both = [.. general, (Own, "http://own/x"), ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "o=1"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "3000"),
            ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "none"), ("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "/o.pem"),
            ("OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE", "/oc.pem"), ("OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", "/ok.pem")];
        otlp = Sent(both)!.Otlp;
        Assert.Equal(
            ("o", OtlpProtocol.Grpc, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3), false, "/o.pem", "/oc.pem", "/ok.pem"),
            (Assert.Single(otlp.Headers).Key, otlp.Protocol, otlp.Timeout, otlp.GiveUpAfter, otlp.Compress, otlp.RootsFile,
                otlp.ClientCertificateFile, otlp.ClientKeyFile));
        // Traces have the general ones; the keeper reads the files of both.
        var configuration = Loaded.Environment(both).Configuration;
        Assert.Equal((OtlpProtocol.HttpJson, "/g.pem"), (configuration.Traces!.Otlp.Protocol, configuration.Traces.Otlp.RootsFile));
        Assert.Equal(
            ["/g.pem", "/gc.pem", "/gk.pem", "/o.pem", "/oc.pem", "/ok.pem"],
            configuration.NamedFiles.Select(static file => file.Path).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("", "", 60_000)]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL", "2500", 2500)]
    [InlineData("BEYLA_METRICS_INTERVAL", "5s", 5000)]
    [InlineData("BEYLA_OTEL_METRICS_INTERVAL", "1m30s", 90_000)]
    public void The_interval(string variable, string value, int milliseconds) => Assert.Equal(
        TimeSpan.FromMilliseconds(milliseconds),
        Sent(variable.Length == 0 ? [(Own, "http://h")] : [(Own, "http://h"), (variable, value)])!.Interval);

    [Fact]
    public void The_interval_of_the_agent_goes_before_the_standard_one() => Assert.Equal(
        TimeSpan.FromSeconds(5),
        Sent((Own, "http://h"), ("OTEL_METRIC_EXPORT_INTERVAL", "2500"), ("BEYLA_METRICS_INTERVAL", "5s"))!.Interval);

    [Theory]
    [InlineData("otlp", true)]
    [InlineData("OTLP", true)]
    [InlineData("prometheus , otlp", true)]
    [InlineData("prometheus", false)]
    [InlineData("none", false)]
    [InlineData("None", false)]
    public void The_variable_of_exporters_decides(string value, bool sends)
    {
        foreach (var endpoint in (string[])["", "http://h/v1/metrics"])
        {
            var loaded = Loaded.Environment(("OTEL_METRICS_EXPORTER", value), (Own, endpoint));
            Assert.Empty(loaded.Warnings);
            Assert.Equal(sends, loaded.Configuration.Metrics.Sent is not null);
            Assert.Equal(sends, loaded.Configuration.Exports);
            if (sends && endpoint.Length == 0)
            {
                Assert.Equal("http://localhost:4318/v1/metrics", loaded.Configuration.Metrics.Sent!.Otlp.Endpoint.AbsoluteUri);
            }
        }

        // Spans are another matter.
        Assert.NotNull(Loaded.Environment(("OTEL_METRICS_EXPORTER", value), (General, "http://h")).Configuration.Traces);
    }

    [Fact]
    public void The_console_is_not_built_and_a_disabled_library_sends_nothing()
    {
        var loaded = Loaded.Environment(("OTEL_METRICS_EXPORTER", "console"), (Own, "http://h"));
        Assert.Equal(
            ["the exporter \"console\" of the variable OTEL_METRICS_EXPORTER is not built in this agent and has no effect; "
                + "otlp, otlp/stdout, prometheus and none are"],
            loaded.Warnings);
        Assert.Null(loaded.Configuration.Metrics.Sent);
        Assert.Null(Sent((Own, "http://h"), ("OTEL_SDK_DISABLED", "true")));
    }

    [Theory]
    [InlineData("delta", MetricTemporality.Delta, 0)]
    [InlineData("LowMemory", MetricTemporality.LowMemory, 0)]
    [InlineData("Cumulative", MetricTemporality.Cumulative, 0)]
    [InlineData("", MetricTemporality.Cumulative, 0)]
    [InlineData("sideways", MetricTemporality.Cumulative, 1)]
    public void The_temporality_is_in_any_case_and_another_word_is_a_warning(string value, MetricTemporality expected, int warnings)
    {
        var loaded = Loaded.Environment((Own, "http://h"), ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", value));
        Assert.Equal(warnings, loaded.Warnings.Count);
        Assert.Empty(loaded.Problems);
        Assert.Equal(expected, loaded.Configuration.Metrics.Sent!.Temporality);
    }

    /// <summary>Maximum size and scale are those of the specification, "Base2 Exponential Bucket Histogram Aggregation".</summary>
    [Theory]
    [InlineData("base2_exponential_bucket_histogram", true, 0)]
    [InlineData("Base2_Exponential_Bucket_Histogram", true, 0)]
    [InlineData("explicit_bucket_histogram", false, 0)]
    [InlineData("", false, 0)]
    [InlineData("some", false, 1)]
    public void Histograms_are_exponential_where_that_is_asked_for(string value, bool isExponential, int warnings)
    {
        var loaded = Loaded.Environment((Own, "http://h"), ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", value));
        Assert.Equal(warnings, loaded.Warnings.Count);
        Assert.Empty(loaded.Problems);
        Assert.Equal(isExponential ? new ExponentialHistograms(160, 20) : null, loaded.Configuration.Metrics.Sent!.Exponential);
    }

    [Fact]
    public void Exponential_histograms_have_a_size_and_a_scale()
    {
        var loaded = Loaded.From("""
            otel_metrics_export:
              endpoint: http://h
              histogram_aggregation: base2_exponential_bucket_histogram
              exponential_histogram: {max_size: 2, max_scale: -10}
            """);
        Assert.Empty(loaded.Warnings);
        Assert.Equal(new ExponentialHistograms(2, -10), loaded.Configuration.Metrics.Sent!.Exponential);
    }

    [Theory]
    [InlineData("BEYLA_METRICS_EXPONENTIAL_HISTOGRAM_MAX_SIZE", "1")] // what is below and above one unit is in two
    [InlineData("BEYLA_METRICS_EXPONENTIAL_HISTOGRAM_MAX_SIZE", "1025")]
    [InlineData("BEYLA_METRICS_EXPONENTIAL_HISTOGRAM_MAX_SCALE", "21")]
    [InlineData("BEYLA_METRICS_EXPONENTIAL_HISTOGRAM_MAX_SCALE", "-11")]
    public void Sizes_and_scales_have_limits(string variable, string value) => Assert.Contains(
        variable, Assert.Single(Loaded.Environment((Own, "http://h"), (variable, value)).Problems), StringComparison.Ordinal);

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "soon")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "pigeon")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "pigeon")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "zip")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_INSECURE", "1")]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL", "0")]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL", "99999999999")]
    public void A_standard_variable_that_cannot_be_used_is_one_warning(string variable, string value)
    {
        var loaded = Loaded.Environment((General, "http://h"), (variable, value));
        Assert.Empty(loaded.Problems);
        var warning = Assert.Single(loaded.Warnings);
        Assert.Contains(variable, warning, StringComparison.Ordinal);
        Assert.EndsWith("the variable has no effect", warning, StringComparison.Ordinal);
        var (without, with) = (Sent((General, "http://h"))!, loaded.Configuration.Metrics.Sent!);
        Assert.Equal(without with { Otlp = without.Otlp with { Headers = [] } }, with with { Otlp = with.Otlp with { Headers = [] } });
    }

    [Theory]
    [InlineData(Own, "ftp://h", "otel_metrics_export.endpoint = ")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "passw0rd", "otel_metrics_export.headers = \"***\"")]
    public void A_bad_endpoint_or_header_of_metrics_is_a_problem(string variable, string value, string start)
    {
        var problem = Assert.Single(Loaded.Environment((General, "http://h"), (variable, value)).Problems);
        Assert.StartsWith(start, problem, StringComparison.Ordinal);
        Assert.DoesNotContain("passw0rd", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_mistakes_of_the_command_line_are_two_problems() => Assert.Equal(
        2,
        Loaded.From(arguments:
        [
            "--set", "otel_traces_export.endpoint=ftp://h", "--set", "otel_metrics_export.endpoint=ftp://h",
        ]).Problems.Count);

    [Fact]
    public void Grafana_Cloud_gets_metrics_where_it_is_told_so()
    {
        (string, string)[] cloud =
            [("GRAFANA_CLOUD_ZONE", "prod-eu-west-0"), ("GRAFANA_CLOUD_INSTANCE_ID", "12345"), ("GRAFANA_CLOUD_API_KEY", "glc_abc")];
        Assert.Null(Sent(cloud));
        var otlp = Sent([.. cloud, ("GRAFANA_CLOUD_SUBMIT", "metrics,traces")])!.Otlp;
        Assert.Equal("https://otlp-gateway-prod-eu-west-0.grafana.net/otlp/v1/metrics", otlp.Endpoint.AbsoluteUri);
        Assert.Equal([new("Authorization", "Basic MTIzNDU6Z2xjX2FiYw==")], otlp.Headers);
        Assert.Single(Loaded.Environment(
            [.. cloud[1..], ("GRAFANA_CLOUD_ZONE", "evil.example/"), ("GRAFANA_CLOUD_SUBMIT", "metrics,traces")]).Problems);
    }

    private static MetricsExport? Sent(params (string, string)[] environment)
    {
        var loaded = Loaded.Environment(environment);
        Assert.Empty(loaded.Problems);
        return loaded.Configuration.Metrics.Sent;
    }
}
