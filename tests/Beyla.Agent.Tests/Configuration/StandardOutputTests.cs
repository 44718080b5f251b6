using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>
/// The exporter <c>otlp/stdout</c> (OpenTelemetry specification, "Environment Variable Specification", "Exporter Selection"): standard
/// output is its alone.
/// </summary>
public sealed class StandardOutputTests
{
    private const string Traces = "OTEL_TRACES_EXPORTER", Metrics = "OTEL_METRICS_EXPORTER", Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    [Theory]
    [InlineData(Traces, "otlp/stdout")]
    [InlineData(Traces, "OTLP/Stdout, none")]
    [InlineData(Metrics, "otlp/stdout")]
    [InlineData(Metrics, "prometheus,otlp/stdout")]
    public void It_is_one_signal_in_lines_and_no_endpoint_counts(string variable, string value)
    {
        var loaded = Loaded.Environment(
            (variable, value), (variable == Traces ? Metrics : Traces, "none"), (Endpoint, "ftp://wrong"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "wrong"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"), ("BEYLA_OPEN_PORT", "80"));
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.StartProblems);
        var (traces, metrics) = (loaded.Configuration.Traces?.Otlp, loaded.Configuration.Metrics.Sent?.Otlp);
        Assert.Equal(variable == Traces, metrics is null);
        Assert.Equal(variable == Metrics, traces is null);
        // A line that is begun is ended, however long its reader stands still.
        Assert.Equal((OtlpProtocol.JsonLines, TimeSpan.Zero), ((traces ?? metrics)!.Protocol, (traces ?? metrics)!.GiveUpAfter));
    }

    [Theory]
    [InlineData("BEYLA_TRACE_PRINTER", "text", "trace_printer = ")]
    [InlineData("BEYLA_TRACE_PRINTER", "json", "trace_printer = ")]
    [InlineData("BEYLA_TRACE_PRINTER", "counter", "trace_printer = ")]
    [InlineData("BEYLA_NETWORK_PRINT_FLOWS", "true", "network.print_flows = ")]
    [InlineData("BEYLA_STATS_PRINT_STATS", "true", "stats.print_stats = ")]
    public void A_printer_beside_it_is_a_mistake(string variable, string value, string start)
    {
        foreach (var exporter in (string[])[Traces, Metrics])
        {
            var problem = Assert.Single(Loaded.Environment((exporter, "otlp/stdout"), (variable, value)).Problems);
            Assert.StartsWith(start, problem, StringComparison.Ordinal);
            Assert.EndsWith($": standard output belongs to otlp/stdout of {exporter}", problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_console_beside_it_is_a_printer()
    {
        Assert.Single(Loaded.Environment((Traces, "console,otlp/stdout")).Problems);
        Assert.Empty(Loaded.Environment((Traces, "otlp/stdout"), ("BEYLA_TRACE_PRINTER", "disabled")).Problems);
    }

    [Theory]
    [InlineData(Traces)]
    [InlineData(Metrics)]
    public void Beside_otlp_it_is_warned_of(string variable)
    {
        var loaded = Loaded.Environment((variable, "otlp/stdout,otlp"), (Endpoint, "http://h"), ("BEYLA_TRACE_PRINTER", "text"));
        Assert.Empty(loaded.Problems);
        Assert.Contains(variable, Assert.Single(loaded.Warnings), StringComparison.Ordinal);
        Assert.Equal(
            (OtlpProtocol.HttpProtobuf, OtlpProtocol.HttpProtobuf),
            (loaded.Configuration.Traces!.Otlp.Protocol, loaded.Configuration.Metrics.Sent!.Otlp.Protocol));
    }

    [Fact]
    public void A_disabled_library_has_none() => Assert.False(
        Loaded.Environment((Traces, "otlp/stdout"), (Metrics, "otlp/stdout"), ("OTEL_SDK_DISABLED", "true")).Configuration.Exports);
}
