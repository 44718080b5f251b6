using System.Net.Sockets;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Processes;

/// <summary>Services that come and go while the agent runs.</summary>
public sealed class LifecycleTests
{
    /// <summary>
    /// The request is on its way as soon as somebody accepts connections, so there is no time in which the agent could look for the
    /// service.
    /// </summary>
    [LiveTheory("python3"), SocketSources]
    public async Task A_service_started_after_the_agent_is_seen_from_its_first_request(string source)
    {
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(port).WithSource(source));
        for (int round = 1; round <= 5; round++)
        {
            Task<TestServer> starting = ServerKinds.PythonAsync(port: port);
            using RawConnection connection = await ConnectAtOnceAsync(port);
            Assert.Equal(200, (await connection.GetAsync($"/first/{round}")).Status);
            await using TestServer server = await starting;

            IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(round);
            Assert.Equal(($"/first/{round}", server.Pid), (spans[^1].Path, spans[^1].ProcessId));
        }

        await agent.StopAsync();
    }

    [LiveFact("python3")]
    public async Task A_service_that_went_away_is_forgotten()
    {
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(port));
        for (int round = 1; round <= 3; round++)
        {
            await using (TestServer server = await ServerKinds.PythonAsync(port: port))
            {
                await HttpRequests.SendAsync(port, 10, $"/round/{round}", connections: 1);
                await agent.WaitForServerSpansAsync(10 * round);
            }

            // Nothing listens any more; another service on another port is none of ours.
            await using TestServer other = await ServerKinds.PythonAsync();
            await HttpRequests.SendAsync(other.Port, 5, "/other", connections: 1);
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(30);
        Assert.Equal(3, spans.Select(span => span.ProcessId).Distinct().Count());
        await agent.StopAsync();
    }

    [LiveFact("python3")]
    public async Task The_service_says_its_own_name()
    {
        await using TestServer named = await ServerKinds.PythonAsync(environment: [new("OTEL_SERVICE_NAME", "checkout")]);
        await using TestServer attributed = await ServerKinds.PythonAsync(
            environment: [new("OTEL_RESOURCE_ATTRIBUTES", "service.name=basket,service.namespace=shop")]);
        await using TestServer plain = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(named.Port, attributed.Port, plain.Port));

        foreach (TestServer server in new[] { named, attributed, plain })
        {
            await HttpRequests.SendAsync(server.Port, 1);
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(3);
        Assert.Equal(["checkout", "basket", "python3.11"],
            spans.Select(span => span.ServiceName.StartsWith("python3", StringComparison.Ordinal) ? "python3.11" : span.ServiceName));
        Assert.Equal("shop", spans[1].ServiceNamespace);
        await agent.StopAsync();
    }

    private static async Task<RawConnection> ConnectAtOnceAsync(int port)
    {
        long deadline = Environment.TickCount64 + 10_000;
        while (true)
        {
            try
            {
                return await RawConnection.OpenAsync(port);
            }
            catch (SocketException) when (Environment.TickCount64 < deadline)
            {
                await Task.Yield();
            }
        }
    }
}
