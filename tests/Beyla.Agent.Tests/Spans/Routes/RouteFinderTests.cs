using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans.Routes;

namespace Beyla.Agent.Tests.Spans.Routes;

public sealed class RouteFinderTests
{
    private static readonly ProcessInfo Shop = new() { Pid = 1, ServiceName = "shop" }, Bank = new() { Pid = 2, ServiceName = "bank" };

    // The examples of the peer's page "Configure the Beyla routes decorator", and what they leave open.
    [Theory]
    [InlineData("/user/123", "/user/{id}")]
    [InlineData("/user/456", "/user/{id}")]
    [InlineData("/user/123/basket/1", "/user/{id}/basket/{product}")]
    [InlineData("/user/me", "/user/me")]
    [InlineData("/user/me/basket/7", "/user/{id}/basket/{product}")]
    [InlineData("/shop", "/shop/*")]
    [InlineData("/shop/", "/shop/*")]
    [InlineData("/shop/a/b/c", "/shop/*")]
    [InlineData("/docs/en/index", "/docs/*/index")]
    [InlineData("/docs/en/page", "")]
    [InlineData("/orders/9/", "/orders/:id")]
    [InlineData("/user", "")]
    [InlineData("/", "/")]
    [InlineData("*", "")]
    [InlineData("example.com:443", "")]
    public void A_path_gets_its_pattern(string path, string route) => Assert.Equal(route, Find(new RoutesConfiguration
    {
        Patterns =
        [
            "/user/{id}/basket/{product}", "/user/{id}", "/user/:again", "/user/me", "/shop/*", "/docs/*/index", "/orders/:id", "/",
        ],
        Unmatched = UnmatchedRoute.Unset,
    }, path));

    [Theory]
    [InlineData(UnmatchedRoute.Unset, "")]
    [InlineData(UnmatchedRoute.Path, "/x/17")]
    [InlineData(UnmatchedRoute.Wildcard, "/**")]
    [InlineData(UnmatchedRoute.Heuristic, "/x/*")]
    [InlineData(UnmatchedRoute.LowCardinality, "/x/*")]
    public void What_fits_no_pattern_is_as_set(UnmatchedRoute unmatched, string route) =>
        Assert.Equal(route, Find(new RoutesConfiguration { Patterns = ["/y"], Unmatched = unmatched }, "/x/17"));

    [Fact]
    public void The_wildcard_is_as_set() =>
        Assert.Equal("/x/#", Find(new RoutesConfiguration { Wildcard = (byte)'#', Unmatched = UnmatchedRoute.Heuristic }, "/x/17"));

    [Theory]
    [InlineData(IgnoredSignals.All)]
    [InlineData(IgnoredSignals.Traces)]
    public void Ignored_paths_are_told_apart(IgnoredSignals mode)
    {
        var finder = new RouteFinder(new RoutesConfiguration { IgnoredPatterns = ["/health", "/static/*"], Ignored = mode });
        Assert.Equal(mode, finder.Ignored("/health"u8));
        Assert.Equal(mode, finder.Ignored("/static/a/b"u8));
        Assert.Equal(IgnoredSignals.None, finder.Ignored("/healthy"u8));
    }

    [Fact]
    public void A_place_with_more_values_than_the_limit_becomes_a_wildcard_in_that_service()
    {
        var finder = new RouteFinder(new RoutesConfiguration { MaximumSegmentValues = 3 });
        string Of(ProcessInfo process, string path) => Encoding.UTF8.GetString(finder.Find(process, Encoding.UTF8.GetBytes(path), out _));
        foreach (var name in (string[])["ada", "bob", "cyd"])
        {
            Assert.Equal("/hello/" + name + "/pets", Of(Shop, "/hello/" + name + "/pets"));
        }

        Assert.Equal("/hello/*/pets", Of(Shop, "/hello/dan/pets"));
        Assert.Equal("/hello/*/pets", Of(Shop, "/hello/ada/pets"));
        Assert.Equal("/hello/*", Of(Shop, "/hello/eve"));
        Assert.Equal("/hello/ada/pets", Of(Bank, "/hello/ada/pets"));
        Assert.Equal("/other", Of(Shop, "/other"));
        // What was a value anyway takes no place.
        Assert.Equal("/n/*", Of(Shop, "/n/1"));
        Assert.Equal("/n/word", Of(Shop, "/n/word"));
    }

    [Fact]
    public void Routes_of_a_service_are_bounded_whatever_comes()
    {
        var finder = new RouteFinder(new RoutesConfiguration { MaximumSegmentValues = 3 });
        var random = new Random(17);
        var routes = new HashSet<string>();
        for (var i = 0; i < 50_000; i++)
        {
            char Letter() => (char)('a' + random.Next(26));
            var path = $"/{Letter()}{Letter()}/{Letter()}{Letter()}/{Letter()}{Letter()}";
            routes.Add(Encoding.UTF8.GetString(finder.Find(Shop, Encoding.UTF8.GetBytes(path), out _)));
        }

        // Until a place is full each of its 3 values is seen: 4 of each, with the wildcard, in all three places.
        Assert.InRange(routes.Count, 1, 4 * 4 * 4);
        Assert.Contains("/*/*/*", routes);
    }

    [Fact]
    public void Many_deep_paths_have_an_end_in_memory()
    {
        var finder = new RouteFinder(new RoutesConfiguration { MaximumSegmentValues = 1_000_000 });
        var route = "";
        for (var i = 0; i < 3 * SegmentTree.MaximumNodes; i++)
        {
            route = Encoding.UTF8.GetString(finder.Find(Shop, Encoding.UTF8.GetBytes("/x/" + Letters(i) + "/y"), out _));
        }

        Assert.Equal("/x/*/y", route);
    }

    [Fact]
    public void Nothing_is_allocated_for_a_route_that_is_known()
    {
        var finder = new RouteFinder(new RoutesConfiguration { Patterns = ["/a/:b"], IgnoredPatterns = ["/c/*"] });
        var paths = KnownPath.All.Select(static path => Encoding.UTF8.GetBytes(path.Path)).ToArray();
        void All()
        {
            foreach (var path in paths)
            {
                _ = finder.Ignored(path);
                _ = finder.Find(Shop, path, out _);
                _ = finder.Find(Bank, path, out _);
            }
        }

        All();
        All();
        Assert.Equal(0, Allocation.Least(_ => All()));
    }

    private static string Letters(int number)
    {
        // a, b, … of base 16, with vowels between, so that no rule takes it for a value.
        var text = new StringBuilder();
        for (var rest = number; rest > 0; rest /= 16)
        {
            text.Append((char)('b' + (rest % 16))).Append('a');
        }

        return text.Append('e').ToString();
    }

    private static string Find(RoutesConfiguration configuration, string path) =>
        Encoding.UTF8.GetString(new RouteFinder(configuration).Find(Shop, Encoding.UTF8.GetBytes(path), out _));
}
