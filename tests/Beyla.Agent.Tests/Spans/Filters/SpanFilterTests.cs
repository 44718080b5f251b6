using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Processes;
using Beyla.Agent.Selection;
using Beyla.Agent.Spans;
using Beyla.Agent.Spans.Filters;
using Beyla.Agent.Tests.Configuration;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Spans.Filters;

/// <summary>Spans against <c>filter.application</c>: the attributes are those of the conventions, whoever wrote them.</summary>
public sealed class SpanFilterTests
{
    /// <summary>A call to shop.example over port 8080 of 10.0.0.9, and what 10.0.0.7 asked of a server behind a proxy.</summary>
    private static readonly SpanData Call = Samples.Client with
    {
        Values = new(), ClientAddress = Samples.At("10.0.0.1"), ClientPort = 40001, ServerAddress = Samples.At("10.0.0.9"),
        ServerPort = 8080,
    },
    Served = Call with
    {
        Kind = SpanKind.Server, IsClientNamed = true, ClientAddress = Samples.At("10.0.0.7"), PeerAddress = Samples.At("10.0.0.2"),
        PeerPort = 5555, Values = new(),
    };

    [Theory]
    [InlineData("http.request.method: {match: GET}", true)]
    [InlineData("http_request_method: {match: POST}", false)]
    [InlineData("url.path: {match: '/orders/*'}", true)]
    [InlineData("url.path: {not_match: '/orders/*'}", false)]
    [InlineData("http.response.status_code: {match: '5*'}", true)]
    [InlineData("http.response.status_code: {greater_equals: 500, less_than: 600}", true)]
    [InlineData("http.response.status_code: {less_than: 500}", false)]
    [InlineData("error.type: {match: '503'}", true)]
    [InlineData("name: {match: GET}", true)]
    [InlineData("span_name: {match: GET}", true)]
    // As labels of span metrics have them.
    [InlineData("span.kind: {match: SPAN_KIND_CLIENT}", true)]
    [InlineData("span_kind: {match: '*SERVER'}", false)]
    [InlineData("status_code: {match: STATUS_CODE_ERROR}", true)]
    [InlineData("service.name: {match: web}", true)]
    [InlineData("service_namespace: {not_match: shop}", false)]
    // As the request names it, and not as the socket has it.
    [InlineData("server.address: {match: shop.example}", true)]
    [InlineData("server.port: {equals: 81}", true)]
    [InlineData("network.peer.address: {match: 10.0.0.9}", true)]
    [InlineData("network.peer.port: {equals: 8080}", true)]
    // There is none: the empty text, and no number.
    [InlineData("client.address: {match: '?*'}", false)]
    [InlineData("db.system.name: {not_match: redis}", true)]
    [InlineData("db.system.name: {match: '*'}", true)]
    [InlineData("http.request.body.size: {not_equals: 0}", true)]
    [InlineData("http.request.body.size: {less_equals: 0}", false)]
    // All of several.
    [InlineData("http.request.method: {match: GET}, error.type: {match: '5*'}", true)]
    [InlineData("http.request.method: {match: GET}, error.type: {not_match: '5*'}", false)]
    public void Of_a_call(string filter, bool passes) => Assert.Equal(passes, Passes(filter, Call
        .With(SpanAttribute.Name, "GET").With(SpanAttribute.HttpRequestMethod, "GET").With(SpanAttribute.UrlPath, "/orders/17")
        .With(SpanAttribute.HttpResponseStatusCode, 503).With(SpanAttribute.ErrorType, "503")
        .With(SpanAttribute.HttpRequestHeaderHost, "shop.example:81")));

    [Theory]
    [InlineData("span.kind: {match: SPAN_KIND_SERVER}", true)]
    [InlineData("status.code: {match: STATUS_CODE_UNSET}", true)]
    [InlineData("client.address: {match: 10.0.0.7}", true)]
    [InlineData("network.peer.address: {match: 10.0.0.2}", true)]
    [InlineData("network.peer.port: {equals: 5555}", true)]
    // No header tells another.
    [InlineData("server.address: {match: 10.0.0.9}", true)]
    [InlineData("server.port: {equals: 8080}", true)]
    [InlineData("http.route: {match: '/orders/{id}'}", false)] // alternatives with one text, "id"
    [InlineData("http.route: {match: '/orders/\\{id\\}'}", true)]
    public void Of_a_request_that_was_served(string filter, bool passes) =>
        Assert.Equal(passes, Passes(filter, Served.With(SpanAttribute.HttpRoute, "/orders/{id}")));

    [Theory]
    [InlineData("db.system.name: {match: '{redis,postgresql}'}", true)]
    // The usual port is compared too, though exported spans leave it out.
    [InlineData("server.port: {equals: 6379}", true)]
    [InlineData("db.operation.name: {not_match: HGET}", false)]
    [InlineData("http.request.method: {match: GET}", false)]
    public void Of_a_command(string filter, bool passes) => Assert.Equal(passes, Passes(filter, Samples.Redis));

    [Fact]
    public void Every_attribute_that_is_known_can_be_asked_for()
    {
        Assert.True(Glob.TryParse("?*", out var any, out _));
        foreach (var attribute in FilterAttribute.OfSpans)
        {
            var filter = new SpanFilter([new AttributeCondition(attribute, new ValueCondition(any, true, []))]);
            // It is not there, or it is; that it can be asked for is what counts.
            _ = filter.Passes(new ExportedSpan(in Served) { Process = Samples.Plain });
        }

        string[] names = [.. FilterAttribute.OfSpans.Select(static attribute => attribute.Name.Replace('.', '_'))];
        Assert.Equal(names.Distinct(), names);
    }

    [Theory]
    [InlineData("http.route: {match: x}", true)]
    [InlineData("span.name: {match: x}, url.path: {match: x}", true)]
    [InlineData("url.path: {match: x}", false)]
    [InlineData("", false)]
    public void Routes_are_made_first_where_they_are_asked_for(string filter, bool needs) =>
        Assert.Equal(needs, SpanFilter.NeedsRoutes(Conditions(filter)));

    [Fact]
    public void Sinks_and_stages_get_what_passes_and_the_rest_is_counted()
    {
        var (seen, staged) = (new SpanCounter(), new Stage());
        var conditions = Conditions("url.path: {match: /a}");
        var sink = new FilteredSink([seen], new SpanFilter(conditions));
        var stage = FilteredStage.Before(staged, conditions, "filter.traces")!;
        Assert.Null(FilteredStage.Before(staged, [], "filter.traces"));
        foreach (var path in (string[])["/a", "/b", "/c", "/a", "/a"])
        {
            var span = Call.With(SpanAttribute.UrlPath, path);
            sink.OnSpan(new ExportedSpan(in span) { Process = Samples.Web });
            stage.OnSpan(new ExportedSpan(in span) { Process = Samples.Web });
        }

        stage.OnEnd(Samples.Web);
        Assert.Equal((3, 3, 1), (seen.Total, staged.Spans, staged.Ends));
        Assert.Equal(new PlaceCounters("filter", "spans", 5, Emitted: 3, Filtered: 2), Assert.Single(sink.Count()));
        Assert.Equal(new PlaceCounters("filter.traces", "spans", 5, Emitted: 3, Filtered: 2), Assert.Single(stage.Count()));
    }

    [Fact]
    public void Nothing_is_allocated_per_span()
    {
        var filter = new SpanFilter(Conditions(
            "url.path: {match: '/{a,b}/*'}, service.name: {match: '[a-z]*'}, server.address: {match: '?*'}, "
            + "server.port: {less_than: 9000}, client.address: {match: '10.*.*.*'}, network.peer.address: {not_match: '[!1]*'}, "
            + "http.response.status_code: {match: '[2-5]*'}"));
        var span = Served.With(SpanAttribute.UrlPath, "/a/b").With(SpanAttribute.HttpResponseStatusCode, 200);
        void Many()
        {
            for (var i = 0; i < 1000; i++)
            {
                Assert.True(filter.Passes(new ExportedSpan(in span) { Process = Samples.Web }));
            }
        }

        Many();
        Assert.Equal(0, Allocation.Least(_ => Many()));
    }

    private static IReadOnlyList<AttributeCondition> Conditions(string filter)
    {
        var loaded = Loaded.From($"filter: {{application: {{{filter}}}}}");
        Assert.Empty(loaded.Problems);
        return loaded.Configuration.Shaping.Filter;
    }

    private static bool Passes(string filter, SpanData span) =>
        new SpanFilter(Conditions(filter)).Passes(new ExportedSpan(in span) { Process = Samples.Web });

    private sealed class Stage : IExportStage
    {
        public int Spans { get; private set; }

        public int Ends { get; private set; }

        public void OnSpan(in ExportedSpan span) => Spans++;

        public void OnEnd(ProcessInfo process) => Ends++;

        public long Tick(long now) => long.MaxValue;

        public void Finish(long deadline)
        {
        }
    }
}
