using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary><c>attributes.select</c>, as Grafana Beyla's page "Configure metrics and traces attributes" describes it.</summary>
public sealed class AttributeSelectionTests
{
    private static readonly string[] Http = ["http.server.request.duration", "http.server.request.duration_seconds"];

    [Theory]
    // Nothing is said of it.
    [InlineData("{}", "http.route", true, true)]
    [InlineData("{}", "url.path", false, false)]
    [InlineData("{db.client.operation.duration: {exclude: ['*']}}", "http.route", true, true)]
    // What is included is all there is; without a list, the default is.
    [InlineData("{http.server.request.duration: {include: [url.path]}}", "url.path", false, true)]
    [InlineData("{http.server.request.duration: {include: [url.path]}}", "http.route", true, false)]
    [InlineData("{http.server.request.duration: {exclude: [http.route]}}", "http.route", true, false)]
    [InlineData("{http.server.request.duration: {exclude: [http.route]}}", "url.scheme", true, true)]
    [InlineData("{http.server.request.duration: {exclude: [http.route]}}", "url.path", false, false)]
    [InlineData("{http.server.request.duration: {include: ['url.*'], exclude: [url.path]}}", "url.scheme", true, true)]
    [InlineData("{http.server.request.duration: {include: ['url.*'], exclude: [url.path]}}", "url.path", false, false)]
    // Names of OpenTelemetry and of Prometheus.
    [InlineData("{http_server_request_duration_seconds: {exclude: [http_route]}}", "http.route", true, false)]
    [InlineData("{http_server_request_duration: {include: [url_path]}}", "url.path", false, true)]
    // The most specific section decides, wherever it stands.
    [InlineData("{http.server.request.duration: {include: [http.route]}, '*': {exclude: [http.route]}}", "http.route", true, true)]
    [InlineData("{'http.*': {include: [http.route]}, '*': {exclude: [http.route]}}", "http.route", true, true)]
    [InlineData("{'http.server.*': {exclude: [http.route]}, 'http.*': {include: [http.route]}}", "http.route", true, false)]
    public void Of_metrics(string select, string attribute, bool isDefault, bool expected) =>
        Assert.Equal(expected, Of(select).HasMetric(Http, attribute, isDefault));

    [Theory]
    [InlineData("{traces: {include: [http.request.body.size]}}", "http.request.body.size", false, true)]
    // What is included is added.
    [InlineData("{traces: {include: [http.request.body.size]}}", "url.path", true, true)]
    [InlineData("{traces: {exclude: ['url.*']}}", "url.path", true, false)]
    // Metrics are meant.
    [InlineData("{'*': {exclude: ['*']}}", "url.path", true, true)]
    public void Of_spans(string select, string attribute, bool isDefault, bool expected) =>
        Assert.Equal(expected, Of(select).HasSpan(attribute, isDefault));

    [Fact]
    public void A_section_that_nobody_asks_for_is_told()
    {
        var selection = Of("{http_server_reqest_duration: {exclude: [x]}, 'http.*': {exclude: [x]}, traces: {exclude: [x]}}");
        selection.HasMetric(Http, "http.route", isDefault: true);
        Assert.Equal(["traces", "http_server_reqest_duration"], selection.Unused);
    }

    [Fact]
    public void On_the_command_line_it_is_the_same()
    {
        var loaded = Loaded.From("", null, "--set", "attributes.select={traces: {exclude: [url.path]}}");
        Assert.Empty(loaded.Problems);
        Assert.False(loaded.Configuration.Shaping.Attributes.HasSpan("url.path", isDefault: true));
    }

    [Theory]
    [InlineData("[a]", "a mapping of metrics is expected")]
    [InlineData("x", "a mapping of metrics is expected")]
    [InlineData("{traces: [a]}", "(beyla.yml:1:31): a mapping with include, exclude or both is expected")]
    [InlineData("{traces: {includes: [a]}}", "only include and exclude are known")]
    [InlineData("{traces: {include: a}}", "a list of at most 100 names or globs is expected")]
    [InlineData("{traces: {include: ['[']}}", "attributes.select.traces.include = \"[\"")]
    [InlineData("{'{': {include: [a]}}", "attributes.select.{ = \"{\"")]
    public void What_is_wrong_is_told_with_its_place(string select, string error)
    {
        var loaded = Loaded.From($"attributes: {{select: {select}}}");
        Assert.Contains(error, Assert.Single(loaded.Problems), StringComparison.Ordinal);
    }

    internal static AttributeSelection Of(string select)
    {
        var loaded = Loaded.From($"attributes: {{select: {select}}}");
        Assert.Empty(loaded.Problems);
        return loaded.Configuration.Shaping.Attributes;
    }
}
