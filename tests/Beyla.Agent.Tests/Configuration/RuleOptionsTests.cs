using Beyla.Agent.Configuration;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>What an entry of <c>discovery.instrument</c> says of the telemetry of its services.</summary>
public sealed class RuleOptionsTests
{
    [Theory]
    [InlineData("[metrics]", ExportedSignals.Metrics)]
    [InlineData("[traces]", ExportedSignals.Traces)]
    [InlineData("[traces, Metrics]", ExportedSignals.All)]
    [InlineData("[]", ExportedSignals.None)]
    [InlineData("", null)]
    public void Exports_are_read(string text, ExportedSignals? expected)
    {
        var loaded = Loaded.From($"discovery: {{instrument: [{{open_ports: 80, exports: {text}}}]}}");
        Assert.Empty(loaded.Warnings);
        Assert.Empty(loaded.Problems);
        Assert.Equal(expected, Assert.Single(loaded.Configuration.Selection.Rules).Exports);
    }

    [Fact]
    public void Routes_are_read()
    {
        var loaded = Loaded.From(
            "discovery: {instrument: [{open_ports: 80, routes: {incoming: ['/a/:id', '*'], outgoing: [/b]}}, "
                + "{open_ports: 81, routes: {outgoing: [/c]}}, {open_ports: 82}]}");
        Assert.Empty(loaded.Warnings);
        Assert.Empty(loaded.Problems);
        var rules = loaded.Configuration.Selection.Rules;
        Assert.Equal(["/a/:id", "*"], rules[0].Routes!.Incoming);
        Assert.Equal(["/b"], rules[0].Routes!.Outgoing);
        Assert.Empty(rules[1].Routes!.Incoming);
        Assert.Equal(["/c"], rules[1].Routes!.Outgoing);
        Assert.Null(rules[2].Routes);
    }

    [Theory]
    [InlineData("[application_span, application_process]", MetricFeatures.ApplicationSpan | MetricFeatures.ApplicationProcess)]
    [InlineData("[]", MetricFeatures.None)]
    [InlineData("[all]", MetricFeatures.OfSpans & ~MetricFeatures.ApplicationSpanOtel)]
    public void Groups_of_metrics_are_read_and_added_up(string text, MetricFeatures expected)
    {
        var loaded = Loaded.From(
            $"discovery: {{instrument: [{{open_ports: 80, metrics: {{features: {text}}}}}, {{open_ports: 81}}]}}");
        Assert.Empty(loaded.Warnings);
        Assert.Empty(loaded.Problems);
        Assert.NotNull(loaded.Configuration.Selection.Rules[0].Features);
        Assert.Null(loaded.Configuration.Selection.Rules[1].Features);
        Assert.Equal(expected, loaded.Configuration.Metrics.ServiceFeatures);
        Assert.Equal(MetricFeatures.Application, loaded.Configuration.Metrics.Features);
    }

    [Fact]
    public void A_group_of_no_service_is_warned_of()
    {
        var loaded = Loaded.From("discovery: {instrument: [{open_ports: 80, metrics: {features: [application, network]}}]}");
        Assert.Equal(
            [
                "beyla.yml:1:77: discovery.instrument[0].metrics.features: network has no effect for a service; "
                    + "metrics.features has it for all",
            ],
            loaded.Warnings);
        Assert.Empty(loaded.Problems);
        Assert.Equal(MetricFeatures.Application, loaded.Configuration.Metrics.ServiceFeatures);
    }

    [Theory]
    [InlineData("metrics: [application]", "discovery.instrument[0].metrics = ")]
    [InlineData("metrics: {features: application}", "discovery.instrument[0].metrics = ")]
    [InlineData("metrics: {features: [applications]}", "discovery.instrument[0].metrics.features = \"applications\"")]
    [InlineData("metrics: {features: [application_span, application_span_otel]}", "discovery.instrument[0].metrics.features = ")]
    [InlineData("exports: traces", "discovery.instrument[0].exports = \"traces\"")]
    [InlineData("exports: [logs]", "discovery.instrument[0].exports = \"logs\"")]
    [InlineData("exports: {traces: true}", "discovery.instrument[0].exports = ")]
    [InlineData("routes: [/a]", "discovery.instrument[0].routes = ")]
    [InlineData("routes: {in: [/a]}", "discovery.instrument[0].routes = \"in\"")]
    [InlineData("routes: {incoming: /a}", "discovery.instrument[0].routes.incoming = \"/a\"")]
    [InlineData("routes: {outgoing: [a]}", "discovery.instrument[0].routes.outgoing = ")]
    [InlineData("routes: {outgoing: [[/a]]}", "discovery.instrument[0].routes.outgoing = ")]
    public void What_is_wrong_is_said_with_its_place(string option, string expected) => Assert.StartsWith(
        expected,
        Assert.Single(Loaded.From($"discovery: {{instrument: [{{open_ports: 80, {option}}}]}}").Problems), StringComparison.Ordinal);
}
