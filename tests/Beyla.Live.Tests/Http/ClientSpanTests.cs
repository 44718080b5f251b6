using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>Requests that a traced process makes itself.</summary>
public sealed class ClientSpanTests
{
    [LiveTheory("python3", "nginx"), SocketSources]
    public async Task Python_selected_by_process_id(string source)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using ClientProcess client = ClientProcess.Python(server.Port, 100, "/status/404");
        await AssertClientSpansAsync(
            server, client, AgentSettings.For("BEYLA_TARGET_PID", client.Pid.ToString(CultureInfo.InvariantCulture)), source);
    }

    [LiveTheory("node", "nginx"), SocketSources]
    public async Task Node_selected_by_executable(string source)
    {
        await using TestServer server = await Nginx.StartAsync();
        using OwnProgram node = new("node");
        await using ClientProcess client = ClientProcess.Node(node, server.Port, 100, "/status/404");
        await AssertClientSpansAsync(server, client, AgentSettings.For("BEYLA_AUTO_TARGET_EXE", node.Glob), source);
    }

    /// <summary>The socket sources see what no system call carries. The source <c>syscalls</c> cannot, and docs say so.</summary>
    [LiveTheory("gcc", "nginx"), SocketSources]
    public async Task Requests_by_io_uring(string source)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using ClientProcess client = await ClientProcess.UringAsync(server.Port, 100, "/status/404");
        AgentSettings settings = AgentSettings.For("BEYLA_TARGET_PID", client.Pid.ToString(CultureInfo.InvariantCulture));
        if (source == "syscalls")
        {
            await using AgentProcess agent = await AgentProcess.StartAsync(settings.WithSource(source));
            await client.SendAsync();
            await agent.WaitForClientSpansAsync(0, TimeSpan.Zero);
            await agent.StopAsync();
        }
        else
        {
            await AssertClientSpansAsync(server, client, settings, source);
        }
    }

    [LiveTheory("nginx", "python3"), SocketSources]
    public async Task A_proxy_shows_both_sides(string source)
    {
        await using TestServer upstream = await ServerKinds.PythonAsync();
        await using TestServer proxy = await Nginx.StartAsync(upstream: upstream.Port);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(proxy.Port).WithSource(source));

        await HttpRequests.SendAsync(proxy.Port, 50, "/proxy/status/503", connections: 2);

        IReadOnlyList<Span> servers = await agent.WaitForServerSpansAsync(50);
        IReadOnlyList<Span> clients = await agent.WaitForClientSpansAsync(50);
        Assert.All(servers, span => Assert.Equal(("/proxy/status/503", 503, proxy.Port), (span.Path, span.StatusCode, span.ServerPort)));
        Assert.All(clients, span => Assert.Equal(("/status/503", 503, upstream.Port), (span.Path, span.StatusCode, span.ServerPort)));
        Assert.All(clients.Concat(servers), span => Assert.Equal("nginx", span.ServiceName));
        await agent.StopAsync();
    }

    [LiveFact("python3")]
    public async Task A_handler_that_calls_another_service()
    {
        await using TestServer upstream = await ServerKinds.PythonAsync();
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port));

        await HttpRequests.SendAsync(server.Port, 20, $"/proxy/{upstream.Port}", connections: 4);

        IReadOnlyList<Span> servers = await agent.WaitForServerSpansAsync(20);
        IReadOnlyList<Span> clients = await agent.WaitForClientSpansAsync(20);
        Assert.All(servers, span => Assert.Equal(server.Port, span.ServerPort));
        Assert.All(clients, span => Assert.Equal(("/from-python", upstream.Port), (span.Path, span.ServerPort)));
        // Thread by thread, each request of the handler lies within the request that it handles.
        Assert.All(clients, client => Assert.Contains(
            servers, span => span.ThreadId == client.ThreadId && span.Start <= client.Start && client.End <= span.End));
        await agent.StopAsync();
    }

    private static async Task AssertClientSpansAsync(TestServer server, ClientProcess client, AgentSettings settings, string source)
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(settings.WithSource(source));
        await client.SendAsync();

        IReadOnlyList<Span> spans = await agent.WaitForClientSpansAsync(100);
        Assert.All(spans, span => Assert.Equal(
            ("GET", "/status/404", 404, server.Port, client.Pid),
            (span.Method, span.Path, span.StatusCode, span.ServerPort, span.ProcessId)));
        Assert.Equal(100, agent.Spans.Count);
        await agent.StopAsync();
    }
}
