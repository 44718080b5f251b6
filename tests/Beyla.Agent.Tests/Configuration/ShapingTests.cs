using Beyla.Agent.Configuration;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Tests.Configuration;

public sealed class ShapingTests
{
    [Fact]
    public void Unset_is_as_the_peer_has_it()
    {
        var shaping = Loaded.From().Configuration.Shaping;
        Assert.False(shaping.Routes.IsConfigured);
        Assert.Equal(UnmatchedRoute.LowCardinality, shaping.Routes.Unmatched);
        Assert.Equal((IgnoredSignals.All, 10), (shaping.Routes.Ignored, shaping.Routes.MaximumSegmentValues));
        Assert.Equal((byte)'*', shaping.Routes.Wildcard);
        Assert.Equal(SamplerConfiguration.Default, shaping.Sampler);
        Assert.Equal((100, "", ""), (shaping.MetricSpanNames, shaping.HostId, shaping.HostName));
    }

    [Fact]
    public void All_keys_count()
    {
        var loaded = Loaded.From("""
            routes:
              patterns: [/users/:id, "/static/*"]
              ignored_patterns: [/health]
              ignore_mode: traces
              unmatched: heuristic
              wildcard_char: "#"
              max_path_segment_cardinality: 3
            attributes:
              host_id: {override: machine}
              instance_id: {override_hostname: name}
              metric_span_names_limit: 5
            otel_traces_export: {sampler: {name: traceidratio, arg: "0.25"}}
            """);
        Assert.Empty(loaded.Warnings);
        Assert.Empty(loaded.Problems);
        var shaping = loaded.Configuration.Shaping;
        Assert.True(shaping.Routes.IsConfigured);
        Assert.Equal(["/users/:id", "/static/*"], shaping.Routes.Patterns);
        Assert.Equal(["/health"], shaping.Routes.IgnoredPatterns);
        Assert.Equal((IgnoredSignals.Traces, UnmatchedRoute.Heuristic), (shaping.Routes.Ignored, shaping.Routes.Unmatched));
        Assert.Equal(((byte)'#', 3), (shaping.Routes.Wildcard, shaping.Routes.MaximumSegmentValues));
        Assert.Equal(("machine", "name", 5), (shaping.HostId, shaping.HostName, shaping.MetricSpanNames));
        Assert.Equal(new SamplerConfiguration(SamplerKind.TraceIdRatio, false, 0.25), shaping.Sampler);
    }

    [Theory]
    [InlineData("routes: {patterns: [users]}", "routes.patterns = \"[users]\"")]
    [InlineData("routes: {wildcard_char: ab}", "routes.wildcard_char = \"ab\"")]
    [InlineData("routes: {unmatched: some}", "routes.unmatched = \"some\"")]
    [InlineData("routes: {max_path_segment_cardinality: -1}", "routes.max_path_segment_cardinality = \"-1\"")]
    [InlineData("otel_traces_export: {sampler: {name: traceidratio, arg: \"2\"}}", "otel_traces_export.sampler.arg = \"2\"")]
    [InlineData("discovery: {instrument: [{open_ports: 80, sampler: {name: some}}]}", "discovery.instrument[0].sampler = ")]
    [InlineData("discovery: {instrument: [{open_ports: 80, sampler: {nam: always_on}}]}", "discovery.instrument[0].sampler = ")]
    public void What_is_wrong_is_an_error(string yaml, string start) =>
        Assert.StartsWith(start, Assert.Single(Loaded.From(yaml).Problems), StringComparison.Ordinal);

    [Theory]
    [InlineData("OTEL_TRACES_SAMPLER", "jaeger_remote")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "a=b,c")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "a=%2")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "a=b=c")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "a=%ff")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "=b")]
    public void A_standard_variable_that_is_wrong_is_a_warning_and_counts_as_not_set(string variable, string value)
    {
        var loaded = Loaded.Environment((variable, value));
        Assert.Contains(variable, Assert.Single(loaded.Warnings), StringComparison.Ordinal);
        Assert.Empty(loaded.Problems);
        Assert.Equal(SamplerConfiguration.Default, loaded.Configuration.Shaping.Sampler);
        Assert.Empty(loaded.Configuration.Shaping.ResourceAttributes);
    }

    [Fact]
    public void Resource_attributes_are_decoded_and_the_last_of_a_key_counts() => Assert.Equal(
        [new KeyValuePair<string, string>("b", "x,y=z"), new("a", "ü")],
        Loaded.Environment(("OTEL_RESOURCE_ATTRIBUTES", "a=1, b = x%2Cy%3Dz ,a=%C3%BC")).Configuration.Shaping.ResourceAttributes);

    [Fact]
    public void A_rule_has_a_sampler_of_its_own()
    {
        var loaded = Loaded.From(
            "discovery: {instrument: [{open_ports: 80, sampler: {name: parentbased_traceidratio, arg: 0.5}}, {open_ports: 81}]}");
        Assert.Empty(loaded.Warnings);
        Assert.Equal(
            [new SamplerConfiguration(SamplerKind.TraceIdRatio, true, 0.5), null],
            loaded.Configuration.Selection.Rules.Select(static rule => rule.Sampler));
    }
}
