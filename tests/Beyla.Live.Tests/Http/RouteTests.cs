using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>Routes on spans of a real server.</summary>
public sealed class RouteTests
{
    [LiveFact("nginx")]
    public async Task Spans_have_the_route_that_was_set_or_guessed_and_ignored_ones_do_not_come()
    {
        await using TestServer server = await Nginx.StartAsync();
        AgentSettings settings = AgentSettings.ForPorts(server.Port);
        await using AgentProcess agent = await AgentProcess.StartAsync(settings with
        {
            Arguments = ["--set", "routes.patterns=/orders/{id}", "--set", "routes.ignored_patterns=/health"],
        });
        await HttpRequests.SendAsync(server.Port, ["/orders/17", "/health", "/users/42/profile"], connections: 1);
        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(2);
        Assert.Equal(
            [("GET /orders/{id}", "/orders/17", "/orders/{id}"), ("GET /users/*/profile", "/users/42/profile", "/users/*/profile")],
            spans.Select(span => (span.Name, span.Path, span.Route)).Order());
        await agent.StopAsync();
    }
}
