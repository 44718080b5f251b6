using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Metrics;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Configuration;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Metrics;

/// <summary><c>attributes.select</c> on a page.</summary>
public sealed class SelectedAttributesTests
{
    [Fact]
    public void An_attribute_that_is_left_out_makes_no_series()
    {
        var rig = Rig("{http_server_request_duration: {exclude: ['http.*']}}");
        var span = Samples.Client with { Kind = SpanKind.Server };
        rig.Add(span.With(SpanAttribute.HttpRoute, "/a"));
        rig.Add(span.With(SpanAttribute.HttpRoute, "/b").With(SpanAttribute.HttpRequestMethod, "PUT"));
        var (labels, count) = Assert.Single(rig.Some("http_server_request_duration_seconds_count"));
        Assert.Equal(2, count);
        Assert.DoesNotContain("http_", labels["http_server".Length..], StringComparison.Ordinal);
        Assert.Contains("url_scheme=\"http\"", labels, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_included_is_all_there_is()
    {
        var rig = Rig("{http.server.request.duration: {include: [server.*, url.path]}}");
        var span = Samples.Client with { Kind = SpanKind.Server, ServerPort = 8080 };
        rig.Add(span.With(SpanAttribute.HttpRequestHeaderHost, "shop.example").With(SpanAttribute.UrlPath, "/a"));
        rig.Add(span.With(SpanAttribute.HttpRequestHeaderHost, "10.0.0.1").With(SpanAttribute.UrlPath, "/b"));
        rig.Add(span.With(SpanAttribute.HttpRequestHeaderHost, "10.0.0.2").With(SpanAttribute.UrlPath, "/b"));
        // An address is a label of nobody.
        Assert.Equal(1, rig.One("http_server_request_duration_seconds_count",
            ",server_address=\"shop.example\",server_port=\"8080\",url_path=\"/a\"}"));
        Assert.Equal(2, rig.One("http_server_request_duration_seconds_count", ",server_port=\"8080\",url_path=\"/b\"}"));
        Assert.Empty(rig.Some("http_server_request_duration_seconds_count", "http_request_method"));
    }

    [Fact]
    public void Other_metrics_stay_as_they_are()
    {
        var rig = Rig("{http.server.request.duration: {exclude: ['*']}}");
        rig.Add(Samples.Client);
        rig.Add(Samples.Postgres);
        Assert.NotEmpty(rig.Some("http_client_request_duration_seconds_count", "http_request_method"));
        Assert.NotEmpty(rig.Some("db_client_operation_duration_seconds_count", "db_system_name"));
        Assert.Empty(rig.Some("db_client_operation_duration_seconds_count", "server_port"));
    }

    /// <summary>Spans of other protocols are in no metric, and counted.</summary>
    [Fact]
    public void Protocols_that_are_not_wanted_are_left_out()
    {
        var store = new MetricStore(new(), AgentResource.Of(MetricRig.Host, "1"));
        var stage = new MetricSetup
        {
            Features = MetricFeatures.Application | MetricFeatures.ApplicationSpan, Instrumentations = new HashSet<string> { "sql" },
        }.MakeStage(store, new ServiceResources(MetricRig.Host, "1", static _ => 77))!;
        foreach (var span in (SpanData[])[Samples.Client, Samples.Postgres, Samples.Broken, Samples.Redis])
        {
            stage.OnSpan(new ExportedSpan(in span) { Process = Samples.Web });
        }

        Assert.Equal(1, store.Families.Single(static family => family.Definition.Name == "traces_spanmetrics_calls").Series.Sum(
            static series => series.Sum));
        var place = Assert.Single(((ICounted)stage).Count());
        Assert.Equal(("metrics.instrumentations", 4, 1, 3), (place.Place, place.Produced, place.Aggregated, place.Filtered));
    }

    private static MetricRig Rig(string select) =>
        new(MetricFeatures.Application, new MetricStoreOptions { Attributes = AttributeSelectionTests.Of(select) });
}
