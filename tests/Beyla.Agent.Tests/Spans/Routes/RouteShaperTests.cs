using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Selection;
using Beyla.Agent.Spans;
using Beyla.Agent.Spans.Routes;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Spans.Routes;

public sealed class RouteShaperTests
{
    // Semantic conventions 1.44, HTTP spans: the name of a server is {method} {http.route}, of a client {method}.
    [Theory]
    [InlineData(SpanKind.Server, "GET", "/users/17", "GET /users/*", "/users/*", "route")]
    [InlineData(SpanKind.Server, "GET", "/orders/17", "GET /orders/{id}", "/orders/{id}", "")]
    [InlineData(SpanKind.Server, "HTTP", "/users/17", "HTTP /users/*", "/users/*", "route")]
    [InlineData(SpanKind.Server, "OPTIONS", "*", "OPTIONS", "", "")]
    [InlineData(SpanKind.Client, "GET", "/users/17", "GET", "", "")]
    public void A_server_gets_route_and_name(SpanKind kind, string name, string path, string named, string route, string guess)
    {
        var span = Samples.Client.With(SpanAttribute.Name, name).With(SpanAttribute.UrlPath, path) with { Kind = kind };
        var shaper = new RouteShaper(new RoutesConfiguration { Patterns = ["/orders/{id}"] });
        for (var again = 0; again < 2; again++)
        {
            Assert.Equal(IgnoredSignals.None, shaper.Shape(new ExportedSpan(in span) { Process = Samples.Web }));
            Assert.Equal(named, Text(span, SpanAttribute.Name));
            Assert.Equal(route, Text(span, SpanAttribute.HttpRoute));
            Assert.Equal(guess, Text(span, SpanAttribute.Guess));
        }
    }

    /// <summary>Semantic conventions 1.44, HTTP spans: the name of a client is {method} {url.template} where that is known.</summary>
    [Theory]
    [InlineData(SpanKind.Server, "/users/17", "GET /users/:own", "/users/:own", "")]
    [InlineData(SpanKind.Server, "/orders/17", "GET /orders/{id}", "/orders/{id}", "")]
    [InlineData(SpanKind.Server, "/items/17", "GET /items/*", "/items/*", "")]
    [InlineData(SpanKind.Client, "/items/17", "GET /items/:item", "", "/items/:item")]
    [InlineData(SpanKind.Client, "/users/17", "GET", "", "")]
    [InlineData(SpanKind.Client, "*", "GET", "", "")]
    public void A_service_has_patterns_of_its_own_before_those_for_all(
        SpanKind kind, string path, string named, string route, string template)
    {
        var shaper = new RouteShaper(new RoutesConfiguration { Patterns = ["/orders/{id}", "/users/{id}"] });
        var process = Samples.Web with { Routes = new ServiceRoutes(["/users/:own"], ["/items/:item"]) };
        for (var again = 0; again < 2; again++)
        {
            var span = Samples.Client.With(SpanAttribute.UrlPath, path) with { Kind = kind };
            _ = shaper.Shape(new ExportedSpan(in span) { Process = process });
            // Another stage that shares the shaper changes nothing more.
            _ = shaper.Shape(new ExportedSpan(in span) { Process = process });
            Assert.Equal(named, Text(span, SpanAttribute.Name));
            Assert.Equal(route, Text(span, SpanAttribute.HttpRoute));
            Assert.Equal(template, Text(span, SpanAttribute.UrlTemplate));
        }

        var other = Samples.Client.With(SpanAttribute.UrlPath, "/users/17") with { Kind = SpanKind.Server };
        _ = shaper.Shape(new ExportedSpan(in other) { Process = Samples.Web });
        Assert.Equal("/users/{id}", Text(other, SpanAttribute.HttpRoute));
    }

    [Fact]
    public void A_long_route_is_cut_and_the_name_with_it()
    {
        var span = Samples.Client.With(SpanAttribute.UrlPath, "/" + new string('a', 4000)) with { Kind = SpanKind.Server };
        var shaper = new RouteShaper(new RoutesConfiguration { Unmatched = UnmatchedRoute.Path });
        _ = shaper.Shape(new ExportedSpan(in span) { Process = Samples.Web });
        Assert.Equal(RouteFinder.MaximumLength, Text(span, SpanAttribute.HttpRoute).Length);
        Assert.Equal("GET " + Text(span, SpanAttribute.HttpRoute), Text(span, SpanAttribute.Name));
    }

    [Fact]
    public void Printers_show_the_route()
    {
        var span = Samples.Client.With(SpanAttribute.UrlPath, "/orders/17") with { Kind = SpanKind.Server };
        Samples.Capture json = new(new JsonFormat()), text = new(new TextFormat(TimeText.Utc()));
        var sink = new RoutedSink(
            [json, text], new RouteShaper(new RoutesConfiguration { Patterns = ["/orders/{id}"] }), IgnoredSignals.Traces);
        sink.OnSpan(new ExportedSpan(in span) { Process = Samples.Web });
        Assert.Contains("\"name\":\"GET /orders/{id}\"", Encoding.UTF8.GetString(json.Last), StringComparison.Ordinal);
        Assert.Contains("\"http.route\":\"/orders/{id}\"", Encoding.UTF8.GetString(json.Last), StringComparison.Ordinal);
        // As the peer's text printer: <method> <path>[(<route>)].
        Assert.Contains(" GET /orders/17(/orders/{id})?", Encoding.UTF8.GetString(text.Last), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(IgnoredSignals.All, 1, 1)]
    [InlineData(IgnoredSignals.Traces, 1, 2)]
    [InlineData(IgnoredSignals.Metrics, 2, 1)]
    public void Ignored_requests_are_left_out_where_they_are_to_be_and_counted(IgnoredSignals mode, int traces, int metrics)
    {
        var configuration = new RoutesConfiguration { IgnoredPatterns = ["/health"], Ignored = mode };
        var (seenTraces, seenMetrics) = (new SpanCounter(), new SpanCounter());
        var trace = new RoutedSink([seenTraces], new RouteShaper(configuration), IgnoredSignals.Traces);
        var metric = new RoutedSink([seenMetrics], new RouteShaper(configuration), IgnoredSignals.Metrics);
        foreach (var path in (string[])["/health", "/users"])
        {
            var span = Samples.Client.With(SpanAttribute.UrlPath, path);
            var exported = new ExportedSpan(in span) { Process = Samples.Web };
            trace.OnSpan(in exported);
            metric.OnSpan(in exported);
        }

        Assert.Equal((traces, metrics), (seenTraces.Total, seenMetrics.Total));
        Assert.Equal([new PlaceCounters("routes", "spans", 2, Emitted: traces, Filtered: 2 - traces)], trace.Count());
    }

    [Fact]
    public void Nothing_is_allocated_per_span()
    {
        var span = Samples.Client.With(SpanAttribute.UrlPath, "/users/17/orders/name") with { Kind = SpanKind.Server };
        var shaper = new RouteShaper(new RoutesConfiguration { Patterns = ["/a/:b"], IgnoredPatterns = ["/c"] });
        void Many()
        {
            for (var i = 0; i < 1000; i++)
            {
                span.Values.Clear();
                span.Values.Add(SpanAttribute.Name, "GET"u8);
                span.Values.Add(SpanAttribute.UrlPath, "/users/17/orders/name"u8);
                _ = shaper.Shape(new ExportedSpan(in span) { Process = Samples.Web });
            }
        }

        Many();
        Assert.Equal(0, Allocation.Least(_ => Many()));
    }

    private static string Text(in SpanData span, SpanAttribute attribute) => Encoding.UTF8.GetString(span.Values.Text(attribute));
}
