using System.Net;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Addresses;

/// <summary>Who talked to whom, in whichever address family and namespace.</summary>
public sealed class AddressTests
{
    [LiveTheory("nginx"), SocketSources]
    public async Task IPv6(string source)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port, "::1");
        await connection.GetAsync("/hello");

        AssertAddresses(
            await agent.WaitForServerSpanAsync(), IPAddress.IPv6Loopback, connection.LocalPort, IPAddress.IPv6Loopback, server.Port);
        await agent.StopAsync();
    }

    /// <summary>The listener is an IPv6 socket that takes IPv4 too: what comes by IPv4 is shown as that.</summary>
    [LiveTheory("python3"), SocketSources]
    public async Task IPv4_at_a_socket_for_both(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection four = await RawConnection.OpenAsync(server.Port);
        using RawConnection six = await RawConnection.OpenAsync(server.Port, "::1");
        await four.GetAsync("/four");
        await six.GetAsync("/six");

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(2);
        AssertAddresses(spans.Single(span => span.Path == "/four"), IPAddress.Loopback, four.LocalPort, IPAddress.Loopback, server.Port);
        AssertAddresses(
            spans.Single(span => span.Path == "/six"), IPAddress.IPv6Loopback, six.LocalPort, IPAddress.IPv6Loopback, server.Port);
        await agent.StopAsync();
    }

    [LiveTheory("python3", "ip"), SocketSources]
    public async Task Another_network_namespace(string source)
    {
        await using NetworkNamespace space = await NetworkNamespace.CreateAsync();
        await using TestServer server = await ServerKinds.PythonInsideAsync(space.Prefix);
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port, space.InsideAddress);
        for (int i = 0; i < 20; i++)
        {
            await connection.GetAsync("/status/202");
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(20);
        AssertAddresses(
            spans[0], IPAddress.Parse(space.OutsideAddress), connection.LocalPort, IPAddress.Parse(space.InsideAddress), server.Port);
        long inode = NetworkNamespace.InodeOf(server.Pid);
        Assert.NotEqual(NetworkNamespace.InodeOf(Environment.ProcessId), inode);
        Assert.All(spans, span => Assert.Equal(inode, span.NetworkNamespace));
        await agent.StopAsync();
    }

    /// <summary>Two services on the same port and address, each in a namespace of its own.</summary>
    [LiveFact("python3", "ip", "curl")]
    public async Task The_same_port_in_two_namespaces()
    {
        await using NetworkNamespace space = await NetworkNamespace.CreateAsync();
        await using TestServer inside = await ServerKinds.PythonInsideAsync(space.Prefix);
        await using TestServer outside = await ServerKinds.PythonAsync(port: inside.Port);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(inside.Port));

        string url = $"http://127.0.0.1:{inside.Port}";
        await Tool.RunAsync("ip", [.. space.Prefix.Skip(1), Tool.Find("curl"), "-s", $"{url}/inside/[1-10]"]);
        await Tool.RunAsync("curl", "-s", $"{url}/outside/[1-10]");

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(20);
        Assert.All(spans,
            span => Assert.Equal(span.Path.StartsWith("/inside", StringComparison.Ordinal) ? inside.Pid : outside.Pid, span.ProcessId));
        Assert.Equal(2, spans.Select(span => span.NetworkNamespace).Distinct().Count());
        await agent.StopAsync();
    }

    /// <summary>Inside, the server is process 1; what counts is its id on the host.</summary>
    [LiveTheory("python3", "unshare"), SocketSources]
    public async Task Another_pid_namespace(string source)
    {
        await using TestServer server = await ServerKinds.PythonInsideAsync(
            [Tool.Find("unshare"), "--pid", "--fork", "--mount-proc", "--kill-child"]);
        int pid = Assert.Single(ChildProcessIds.Of(server.Pid));
        await using AgentProcess agent = await StartAsync(server, source);
        await HttpRequests.SendAsync(server.Port, 10, connections: 1);

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(10);
        Assert.All(spans, span => Assert.Equal((pid, ProcessLanguage.Python), (span.ProcessId, span.Language)));
        await agent.StopAsync();
    }

    private static void AssertAddresses(Span span, IPAddress client, int clientPort, IPAddress server, int serverPort) =>
        Assert.Equal((client, clientPort, server, serverPort), (span.ClientAddress, span.ClientPort, span.ServerAddress, span.ServerPort));

    private static Task<AgentProcess> StartAsync(TestServer server, string source) =>
        AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
}
