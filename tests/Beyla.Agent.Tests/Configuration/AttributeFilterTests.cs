using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>
/// <c>filter.application</c>, <c>filter.network</c> and <c>filter.stats</c>, as Grafana Beyla's page on filters describes them.
/// </summary>
public sealed class AttributeFilterTests
{
    [Fact]
    public void Nothing_is_left_out_where_nothing_is_said()
    {
        Assert.Empty(Loaded.From().Configuration.Shaping.Filter);
        Assert.Empty(Loaded.From("filter: {application: {}, network: }").Configuration.Network.Filter);
    }

    [Theory]
    // The examples of the page.
    [InlineData("network: {transport: {not_match: UDP}, dst_port: {match: '53'}}", "transport != UDP, dst.port = 53")]
    [InlineData("network: {transport: {not_match: UDP}, dst_port: {less_than: 1024}}", "transport != UDP, dst.port LessThan 1024")]
    [InlineData("application: {server.port: {greater_equals: 8000}}", "server.port GreaterEquals 8000")]
    // Names with dots and underscores, in either section.
    [InlineData("application: {http_response_status_code: {equals: 200}}", "http.response.status_code Equals 200")]
    [InlineData("application: {http.response.status_code: {not_equals: 200}}", "http.response.status_code NotEquals 200")]
    [InlineData("network: {iface.direction: {match: egress}}", "iface.direction = egress")]
    // Without quotes it is the same text.
    [InlineData("network: {dst.port: {match: 53}}", "dst.port = 53")]
    // A range, and a glob with it.
    [InlineData(
        "application: {http_response_status_code: {greater_than: 399, less_equals: 499, not_match: '?04'}}",
        "http.response.status_code != ?04 GreaterThan 399 LessEquals 499")]
    // Names of protocols are in capitals in flows.
    [InlineData("network: {transport: {match: '{tcp,udp}'}}", "transport = {TCP,UDP}")]
    [InlineData("stats: {dst.port: {equals: 443}, reason: {not_match: refused}}", "dst.port Equals 443, reason != refused")]
    public void What_is_said_is_read(string filter, string expected)
    {
        var loaded = Loaded.From($"filter: {{{filter}}}");
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.Warnings);
        var configuration = loaded.Configuration;
        Assert.Equal(expected, string.Join(", ", configuration.Shaping.Filter
            .Concat(configuration.Network.Filter).Concat(configuration.Statistics.Filter).Select(Shown)));
    }

    [Fact]
    public void On_the_command_line_it_is_the_same()
    {
        var loaded = Loaded.From("", null, "--set", "filter.application={http.route: {match: /a}}");
        Assert.Empty(loaded.Problems);
        Assert.Equal("http.route = /a", Shown(Assert.Single(loaded.Configuration.Shaping.Filter)));
    }

    [Theory]
    [InlineData("application: [a]", "a mapping of attributes is expected")]
    [InlineData("application: x", "a mapping of attributes is expected")]
    [InlineData(
        "application: {http.rout: {match: x}}",
        "filter.application.http.rout = \"http.rout\" (beyla.yml:1:24): there is no such attribute to filter by; did you mean http.route?")]
    [InlineData("network: {http.route: {match: x}}", "there is no such attribute to filter by; there are transport, direction, ")]
    [InlineData("stats: {transport: {match: x}}", "there is no such attribute to filter by; there are src.address, dst.address, ")]
    [InlineData("application: {dst.port: {match: x}}", "there is no such attribute to filter by; ")]
    [InlineData("application: {http.route: x}", "(beyla.yml:1:36): a mapping with match or not_match is expected")]
    [InlineData("application: {http.route: {}}", "a mapping with match or not_match is expected")]
    [InlineData("application: {server.port: 80}", "match or not_match is expected, or with a comparison such as greater_equals")]
    [InlineData(
        "application: {http.route: {match: a, not_match: b}}", "(beyla.yml:1:47): match and not_match exclude each other")]
    [InlineData("application: {http.route: {match: '['}}", "filter.application.http.route.match = \"[\" (beyla.yml:1:44): ")]
    [InlineData("application: {http.route: {match: ''}}", "a glob has 1 to 4096 characters")]
    [InlineData("application: {http.route: {not_match: [a]}}", "a text or a glob is expected")]
    [InlineData("application: {http.route: {matches: a}}", "only match, not_match and, of numbers, comparisons are known")]
    [InlineData("application: {http.route: {equals: 1}}", "http.route is no number; match or not_match is expected")]
    [InlineData("network: {dst.port: {below: 1}}", "equals, not_equals, greater_than, greater_equals, less_than and less_equals are known")]
    [InlineData("network: {dst.port: {less_than: 1.5}}", "(beyla.yml:1:42): a whole number is expected")]
    [InlineData("network: {dst.port: {less_than: http}}", "filter.network.dst.port.less_than = \"http\"")]
    [InlineData("network: {dst.port: {less_than: }}", "a whole number is expected")]
    public void What_is_wrong_is_told_with_its_place(string filter, string error)
    {
        var loaded = Loaded.From($"filter: {{{filter}}}");
        Assert.Contains(error, Assert.Single(loaded.Problems), StringComparison.Ordinal);
    }

    private static string Shown(AttributeCondition condition)
    {
        var (pattern, isNegated, comparisons) = condition.Condition;
        return condition.Attribute.Name + (pattern is null ? "" : $" {(isNegated ? "!=" : "=")} {pattern}")
            + string.Concat(comparisons.Select(static one => $" {one.Operator} {one.Number}"));
    }
}
