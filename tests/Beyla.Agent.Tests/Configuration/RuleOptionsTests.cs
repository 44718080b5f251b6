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
