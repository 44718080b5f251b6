using System.Text;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>
/// Where and how spans are sent (OpenTelemetry specification, "OpenTelemetry Protocol Exporter" and "Environment Variable Specification").
/// </summary>
public sealed class OtlpTests
{
    private const string General = "OTEL_EXPORTER_OTLP_ENDPOINT", Own = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    [Theory]
    [InlineData("http://h:4318", "http://h:4318/v1/traces", OtlpProtocol.HttpProtobuf)]
    [InlineData("http://h:4318/", "http://h:4318/v1/traces", OtlpProtocol.HttpProtobuf)]
    [InlineData("https://h/mycollector", "https://h/mycollector/v1/traces", OtlpProtocol.HttpProtobuf)]
    [InlineData("https://h/mycollector/", "https://h/mycollector/v1/traces", OtlpProtocol.HttpProtobuf)]
    [InlineData("http://h", "http://h/v1/traces", OtlpProtocol.HttpProtobuf)]
    [InlineData("http://h/a%20b", "http://h/a%20b/v1/traces", OtlpProtocol.HttpProtobuf)]
    [InlineData(" http://h:4318 ", "http://h:4318/v1/traces", OtlpProtocol.HttpProtobuf)]
    [InlineData("http://[::1]:4318", "http://[::1]:4318/v1/traces", OtlpProtocol.HttpProtobuf)]
    [InlineData("http://h:4317", "http://h:4317/", OtlpProtocol.Grpc)]
    [InlineData("https://h:4317/path", "https://h:4317/", OtlpProtocol.Grpc)]
    [InlineData("h:4317", "https://h:4317/", OtlpProtocol.Grpc)]
    public void The_general_endpoint_is_a_base(string value, string url, OtlpProtocol protocol) =>
        AssertIs(url, protocol, (General, value));

    [Theory]
    [InlineData("http://h:4318", "http://h:4318/", OtlpProtocol.HttpProtobuf)]
    [InlineData("http://h:4318/", "http://h:4318/", OtlpProtocol.HttpProtobuf)]
    [InlineData("http://h:4318/my/own", "http://h:4318/my/own", OtlpProtocol.HttpProtobuf)]
    [InlineData("http://h:4318/v1/traces/", "http://h:4318/v1/traces/", OtlpProtocol.HttpProtobuf)]
    [InlineData("https://h:4317", "https://h:4317/", OtlpProtocol.Grpc)]
    public void The_endpoint_of_the_signal_is_taken_as_it_is(string value, string url, OtlpProtocol protocol) =>
        AssertIs(url, protocol, (Own, value));

    [Theory]
    [InlineData("http://h:4317", "http/protobuf", "http://h:4317/v1/traces", OtlpProtocol.HttpProtobuf)]
    [InlineData("http://h:4318", "HTTP/JSON", "http://h:4318/v1/traces", OtlpProtocol.HttpJson)]
    [InlineData("http://h:1234", "grpc", "http://h:1234/", OtlpProtocol.Grpc)]
    [InlineData("h:1234", "GRPC", "https://h:1234/", OtlpProtocol.Grpc)]
    public void The_protocol_that_is_set_counts(string value, string set, string url, OtlpProtocol protocol) =>
        AssertIs(url, protocol, (General, value), ("OTEL_EXPORTER_OTLP_PROTOCOL", set));

    [Theory]
    [InlineData("h:4317", "true", "http://h:4317/")]
    [InlineData("h:4317", "TRUE", "http://h:4317/")]
    [InlineData("h:4317", "false", "https://h:4317/")]
    [InlineData("h:4317", "1", "https://h:4317/")] // a boolean of the specification is true only in this word
    [InlineData("https://h:4317", "true", "https://h:4317/")]
    public void Insecure_counts_where_there_is_no_scheme(string value, string insecure, string url) =>
        AssertIs(url, OtlpProtocol.Grpc, (General, value), ("OTEL_EXPORTER_OTLP_INSECURE", insecure));

    [Theory]
    [InlineData("h:4318")]
    [InlineData("ftp://h")]
    [InlineData("http://")]
    [InlineData("http://h:99999")]
    [InlineData("not a url")]
    [InlineData("http://user:passw0rd@h:4318")]
    public void A_bad_endpoint_is_a_problem(string value)
    {
        var problem = Assert.Single(Loaded.Environment((General, value)).Problems);
        Assert.StartsWith("otel_traces_export.endpoint = ", problem, StringComparison.Ordinal);
        Assert.Contains($"(environment {General})", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("passw0rd", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_signal_goes_before_all_signals_and_those_before_the_file()
    {
        const string Yaml = "otel_traces_export: {endpoint: 'http://file/x', headers: f=1, protocol: http/json, timeout: 1s}";
        Assert.Equal("http://file/x", Traces(Yaml)!.Otlp.Endpoint.AbsoluteUri);
        (string, string)[] general = [(General, "http://general"), ("OTEL_EXPORTER_OTLP_HEADERS", "g=1"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000")];
        var otlp = Traces(Yaml, general)!.Otlp;
        Assert.Equal(
            ("http://general/v1/traces", "g", OtlpProtocol.HttpProtobuf, TimeSpan.FromSeconds(2)),
            (otlp.Endpoint.AbsoluteUri, Assert.Single(otlp.Headers).Key, otlp.Protocol, otlp.Timeout));
        otlp = Traces(Yaml, [.. general, (Own, "http://own/"), ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "o=1"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "3000")])!.Otlp;
        Assert.Equal(
            ("http://own/", "o", OtlpProtocol.Grpc, TimeSpan.FromSeconds(3)),
            (otlp.Endpoint.AbsoluteUri, Assert.Single(otlp.Headers).Key, otlp.Protocol, otlp.Timeout));
        // Empty is as not set.
        Assert.Equal("http://general/v1/traces", Traces(Yaml, [.. general, (Own, "")])!.Otlp.Endpoint.AbsoluteUri);
    }

    [Theory]
    [InlineData("api-key=key,other-config-value=value", "api-key=key|other-config-value=value")]
    [InlineData(" a = b , c=d ,", "a=b|c=d")]
    [InlineData("Authorization=Basic%20abc==", "Authorization=Basic abc==")]
    [InlineData("a=%C3%BC%2C%3D+", "a=ü,=+")]
    [InlineData("a=", "a=")]
    public void Headers(string value, string expected)
    {
        foreach (var name in (string[])["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"])
        {
            var loaded = Loaded.Environment((General, "http://h"), (name, value));
            Assert.Empty(loaded.Problems);
            Assert.Equal(expected, string.Join('|', loaded.Configuration.Traces!.Otlp.Headers.Select(static h => h.Key + "=" + h.Value)));
        }
    }

    [Theory]
    [InlineData("passw0rd")]
    [InlineData("a=b,passw0rd")]
    [InlineData("=passw0rd")]
    [InlineData("a b=passw0rd")]
    [InlineData("a=passw0rd%0d%0aHost:evil")]
    [InlineData("a=passw0rd\u0001")]
    public void A_bad_header_is_a_problem_that_shows_no_value(string value)
    {
        var loaded = Loaded.Environment((General, "http://h"), ("OTEL_EXPORTER_OTLP_HEADERS", value));
        var problem = Assert.Single(loaded.Problems);
        Assert.StartsWith(
            "otel_traces_export.headers = \"***\" (environment OTEL_EXPORTER_OTLP_HEADERS): ", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("passw0rd", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Headers_are_never_shown()
    {
        foreach (var loaded in (LoadedConfiguration[])
            [
                Loaded.Environment((General, "http://h"), ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=passw0rd")),
                Loaded.From("otel_traces_export: {endpoint: 'http://h', headers: 'Authorization=passw0rd'}"),
                Loaded.From("otel_traces_export: {endpoint: 'http://h', headers: {Authorization: passw0rd}}"),
                Loaded.From("otel_traces_export: {endpoint: 'http://h', headers: [Authorization=passw0rd]}"),
                Loaded.From(arguments: ["--set", "otel_traces_export.headers=Authorization=passw0rd"]),
                Loaded.Environment(("GRAFANA_CLOUD_API_KEY", "passw0rd"), ("GRAFANA_CLOUD_ZONE", "eu"), ("GRAFANA_CLOUD_INSTANCE_ID", "1")),
            ])
        {
            var shown = ConfigurationReport.ToText(loaded, all: true) + ConfigurationReport.ToJson(loaded, all: true)
                + string.Concat(loaded.Problems) + string.Concat(loaded.Warnings) + string.Concat(loaded.StartProblems);
            Assert.DoesNotContain("passw0rd", shown, StringComparison.Ordinal);
            Assert.Contains("***", shown, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "-1")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "99999999999999999999")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "pigeon")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "pigeon")]
    [InlineData("OTEL_EXPORTER_OTLP_COMPRESSION", "zip")]
    [InlineData("OTEL_EXPORTER_OTLP_INSECURE", "perhaps")]
    [InlineData("OTEL_EXPORTER_OTLP_INSECURE", "1")]
    [InlineData("OTEL_BSP_SCHEDULE_DELAY", "x")]
    [InlineData("OTEL_BSP_MAX_QUEUE_SIZE", "0")]
    [InlineData("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "many")]
    [InlineData("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-5")]
    public void A_standard_variable_that_cannot_be_used_is_a_warning_and_ignored(string variable, string value)
    {
        var loaded = Loaded.Environment((General, "http://h"), (variable, value));
        Assert.Empty(loaded.Problems);
        var warning = Assert.Single(loaded.Warnings);
        Assert.Contains(variable, warning, StringComparison.Ordinal);
        Assert.EndsWith("the variable has no effect", warning, StringComparison.Ordinal);
        var without = Loaded.Environment((General, "http://h")).Configuration.Traces!;
        var traces = loaded.Configuration.Traces!;
        Assert.Equal(
            without with { Instrumentations = null, Otlp = without.Otlp with { Headers = [] } },
            traces with { Instrumentations = null, Otlp = traces.Otlp with { Headers = [] } });
    }

    [Fact]
    public void A_bad_variable_of_the_signal_leaves_the_general_one() => Assert.Equal(
        OtlpProtocol.HttpJson,
        Loaded.Environment(
            (General, "http://h"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "pigeon"))
            .Configuration.Traces!.Otlp.Protocol);

    [Fact]
    public void A_setting_of_the_agent_that_cannot_be_used_is_a_problem()
    {
        _ = Assert.Single(Loaded.From("otel_traces_export: {protocol: pigeon}").Problems);
        _ = Assert.Single(Loaded.Environment(("BEYLA_OTLP_TRACES_QUEUE_SIZE", "0")).Problems);
    }

    [Fact]
    public void Standard_durations_are_milliseconds()
    {
        var traces = Loaded.Environment(
            (General, "http://h"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"), ("OTEL_BSP_SCHEDULE_DELAY", "250"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "7"), ("OTEL_BSP_MAX_QUEUE_SIZE", "9"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "11")).Configuration.Traces!;
        Assert.Equal(
            (TimeSpan.FromSeconds(1.5), TimeSpan.FromMilliseconds(250), 7, 9, true, 11),
            (traces.Otlp.Timeout, traces.BatchDelay, traces.BatchSize, traces.QueueSize, traces.Otlp.Compress, traces.ValueLimit));
    }

    [Fact]
    public void A_timeout_that_was_set_bounds_the_retries_too()
    {
        Assert.Equal(TimeSpan.FromMinutes(1), Loaded.Environment((General, "http://h")).Configuration.Traces!.Otlp.GiveUpAfter);
        Assert.Equal(
            TimeSpan.FromSeconds(3),
            Loaded.Environment((General, "http://h"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "3000")).Configuration.Traces!.Otlp.GiveUpAfter);
        Assert.Equal(
            TimeSpan.FromHours(1),
            Loaded.Environment((General, "http://h"), ("BEYLA_BACKOFF_MAX_ELAPSED_TIME", "1h")).Configuration.Traces!.Otlp.GiveUpAfter);
    }

    [Theory]
    [InlineData("", "", "", 60)]
    [InlineData("", "", "20000", 20)]
    [InlineData("", "", "90000", 60)]
    [InlineData("3000", "", "20000", 3)]
    [InlineData("30000", "", "20000", 20)]
    [InlineData("0", "", "20000", 20)]
    [InlineData("", "0", "20000", 20)]
    [InlineData("", "", "0", 60)]
    public void An_export_is_tried_for_the_shortest_time_that_was_set(
        string timeout, string elapsed, string export, int seconds)
    {
        var configuration = Loaded.Environment(
            (General, "http://h"), ("OTEL_EXPORTER_OTLP_TIMEOUT", timeout), ("BEYLA_BACKOFF_MAX_ELAPSED_TIME", elapsed),
            ("OTEL_BSP_EXPORT_TIMEOUT", export), ("OTEL_METRIC_EXPORT_TIMEOUT", export)).Configuration;
        Assert.Equal(TimeSpan.FromSeconds(seconds), configuration.Traces!.Otlp.GiveUpAfter);
        Assert.Equal(TimeSpan.FromSeconds(seconds), configuration.Metrics.Sent!.Otlp.GiveUpAfter);
    }

    [Theory]
    [InlineData("", "", 128)]
    [InlineData("7", "", 7)]
    [InlineData("", "9", 9)]
    [InlineData("7", "9", 7)]
    [InlineData("0", "", 0)]
    public void The_limit_of_attributes_of_spans_goes_before_that_of_all(string spans, string all, int limit) => Assert.Equal(
        limit,
        Loaded.Environment(
            (General, "http://h"), ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", spans), ("OTEL_ATTRIBUTE_COUNT_LIMIT", all))
            .Configuration.Traces!.CountLimit);

    [Theory]
    [InlineData("otlp", true, false)]
    [InlineData("OTLP", true, false)]
    [InlineData("console", false, true)]
    [InlineData("Console,otlp", true, true)]
    [InlineData(" otlp , console ", true, true)]
    [InlineData("none", false, false)]
    [InlineData("NONE", false, false)]
    [InlineData("zipkin", false, false)]
    public void The_variable_of_exporters_decides(string value, bool sends, bool prints)
    {
        foreach (var endpoint in (string[])["", "http://h/v1/traces"])
        {
            var configuration = Loaded.Environment(("OTEL_TRACES_EXPORTER", value), (Own, endpoint)).Configuration;
            Assert.Equal(sends, configuration.Traces is not null);
            Assert.Equal(sends, configuration.Exports);
            Assert.Equal(prints, configuration.TracePrinter == TracePrinterKind.Text);
            if (sends && endpoint.Length == 0)
            {
                Assert.Equal("http://localhost:4318/v1/traces", configuration.Traces!.Otlp.Endpoint.AbsoluteUri);
            }
        }
    }

    [Fact]
    public void The_default_of_gRPC_is_its_port() =>
        AssertIs("http://localhost:4317/", OtlpProtocol.Grpc, ("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"));

    [Theory]
    [InlineData("", true)]
    [InlineData("false", true)]
    [InlineData("1", true)]
    [InlineData("yes", true)]
    [InlineData("true", false)]
    [InlineData("True", false)]
    public void The_whole_library_can_be_switched_off(string value, bool sends) => Assert.Equal(
        sends, Loaded.Environment((General, "http://h"), ("OTEL_SDK_DISABLED", value)).Configuration.Traces is not null);

    [Fact]
    public void Nothing_is_sent_that_nobody_asked_for()
    {
        Assert.Null(Loaded.From().Configuration.Traces);
        Assert.Null(Traces("", [("OTEL_EXPORTER_OTLP_HEADERS", "a=b"), ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://h")]));
        Assert.Null(Loaded.Environment(("GRAFANA_CLOUD_ZONE", "eu")).Configuration.Traces);
    }

    [Fact]
    public void Grafana_Cloud_needs_zone_instance_and_key_alone()
    {
        (string, string)[] cloud =
            [("GRAFANA_CLOUD_ZONE", "prod-eu-west-0"), ("GRAFANA_CLOUD_INSTANCE_ID", "12345"), ("GRAFANA_CLOUD_API_KEY", "glc_abc")];
        var otlp = Traces("", cloud)!.Otlp;
        // RFC 7617: user and password with a colon between, in base64: "12345:glc_abc".
        Assert.Equal(
            ("https://otlp-gateway-prod-eu-west-0.grafana.net/otlp/v1/traces", OtlpProtocol.HttpProtobuf),
            (otlp.Endpoint.AbsoluteUri, otlp.Protocol));
        Assert.Equal([new("Authorization", "Basic MTIzNDU6Z2xjX2FiYw==")], otlp.Headers);
        // An endpoint of one's own goes before it, and gets no key of another's.
        otlp = Traces("", [.. cloud, (General, "http://h")])!.Otlp;
        Assert.Equal(("http://h/v1/traces", 0), (otlp.Endpoint.AbsoluteUri, otlp.Headers.Count));
        Assert.Null(Traces("", [.. cloud, ("GRAFANA_CLOUD_SUBMIT", "metrics")]));
        var problem = Assert.Single(Loaded.Environment([.. cloud[1..], ("GRAFANA_CLOUD_ZONE", "evil.example/")]).Problems);
        Assert.StartsWith("grafana.otlp.cloud_zone = ", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_headers_and_endpoints_are_problems_at_most()
    {
        const string Pieces = "%=,:/@[]\0\ud800é ;x1";
        var random = new Random(9);
        for (var round = 0; round < 3000; round++)
        {
            var (headers, url) = (new StringBuilder("a=b,c=%20"), new StringBuilder("http://user@h:4318/x?y"));
            foreach (var text in (StringBuilder[])[headers, url])
            {
                for (var changes = random.Next(5); changes > 0; changes--)
                {
                    text[random.Next(text.Length)] = Pieces[random.Next(Pieces.Length)];
                }
            }

            _ = Loaded.Environment((General, url.ToString()), ("OTEL_EXPORTER_OTLP_HEADERS", headers.ToString()));
        }
    }

    private static TracesExport? Traces(string yaml, (string, string)[]? environment = null)
    {
        var loaded = Loaded.From(yaml, environment);
        Assert.Empty(loaded.Problems);
        return loaded.Configuration.Traces;
    }

    private static void AssertIs(string url, OtlpProtocol protocol, params (string, string)[] environment)
    {
        var otlp = Traces("", environment)!.Otlp;
        Assert.Equal((url, protocol), (otlp.Endpoint.AbsoluteUri, otlp.Protocol));
    }
}
