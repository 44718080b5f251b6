using System.Net;
using System.Net.Sockets;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>Which local process a flow belongs to.</summary>
public sealed class OwnerTests
{
    private const string Server = """
        import os, socket, sys
        s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('198.18.9.1', 7401)); s.listen(64)
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('0.0.0.0', 7402))
        for i in range(2):
            if os.fork() == 0: break
        else:
            while True:
                d, a = u.recvfrom(2000); u.sendto(d, a)
        print(os.getpid(), flush=True)
        while True:
            c, a = s.accept(); c.sendall(c.recv(100) + str(os.getpid()).encode()); c.close()
        """;

    [LiveTheory("ip", "ethtool", "python3"), InlineData("socket_filter"), InlineData("tcx")]
    public async Task Nearly_every_flow_names_its_process(string source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        // One socket was there before the agent, bound but unused.
        await using ChildProcess server = ChildProcess.Start(
            Tool.Find("ip"), ["netns", "exec", lab.Host, Tool.Find("python3"), "-c", Server]);
        Assert.True(await Wait.UntilAsync(() => server.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length == 2, Wait.Hang),
            server.Errors);
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source));

        // Short connections from and to the host, and datagrams from sockets that are gone at once.
        await Traffic.Exchange(lab, FlowLab.PeerAddress, 7403, connections: 500, bytes: 100);
        Dictionary<int, int> workers = [];
        await FlowLab.RunInside(lab.Peer, () => Clients.AskPid(FlowLab.HostAddress, 7401, 300, workers));
        for (int i = 0; i < 100; i++)
        {
            await Traffic.Datagrams(lab, FlowLab.PeerAddress, 7404, 1, 50);
        }

        await FlowLab.RunInside(lab.Peer, () => Clients.Ask(FlowLab.HostAddress, 7402, 50));
        await agent.StopAsync();

        AssertShare(agent.Flows, flow => flow.RemotePort == 7403, _ => Environment.ProcessId, 1000, 0.99);
        AssertShare(agent.Flows, flow => flow.LocalPort == 7401, flow => workers[flow.RemotePort], 600, 0.99);
        AssertShare(agent.Flows, flow => flow.RemotePort == 7404, _ => Environment.ProcessId, 90, 0.99); // the kernel may give a port twice
        AssertShare(agent.Flows, flow => flow.LocalPort == 7402, _ => server.Pid, 2, 1);
        Assert.All(agent.Flows.Where(flow => flow.LocalPort == 7401 && flow.OwningProcess != 0),
            flow => Assert.Equal("python3", flow.ProcessName));
    }

    [LiveFact("ip", "ethtool")]
    public async Task A_connection_that_is_older_than_the_agent_is_found()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task echo = Traffic.Echo(lab, FlowLab.PeerAddress, 7410, 1, ready);
        await ready.Task;
        Task client = FlowLab.RunInside(lab.Host, () => Clients.Hold(FlowLab.PeerAddress, 7410, connected, go.Task));
        await connected.Task;
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent("socket_filter"));
        go.SetResult();
        await client;
        await echo;
        await agent.StopAsync();

        Flow[] flows = [.. agent.Flows.Where(flow => flow.RemotePort == 7410)];
        Assert.NotEmpty(flows);
        Assert.All(flows, flow => Assert.Equal(Environment.ProcessId, flow.OwningProcess));
        // No SYN was seen: the ports tell who called.
        Assert.All(
            flows, flow => Assert.Equal(flow.DestinationPort == 7410 ? FlowDirection.Request : FlowDirection.Response, flow.Direction));
    }

    [LiveFact("ip", "ethtool")]
    public async Task What_the_host_only_passes_on_is_no_local_sockets()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        TaskCompletionSource bound = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task server = FlowLab.RunInside(lab.Host, () =>
        {
            using Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            using Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            tcp.Bind(new IPEndPoint(IPAddress.Any, 7420));
            tcp.Listen();
            udp.Bind(new IPEndPoint(IPAddress.Any, 7420));
            bound.SetResult();
            go.Task.Wait(TimeSpan.FromSeconds(30));
        });
        await bound.Task;
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent("socket_filter"));

        // The same port at four addresses: the host's, its network's, a group's, and one that is somebody else's.
        string[] addresses = [FlowLab.HostAddress, "198.18.9.255", "224.0.0.251", "203.0.113.5"];
        await FlowLab.RunInside(lab.Peer, () =>
        {
            foreach (string address in addresses)
            {
                RawFrames.Send("veth0", Packets.IPv4(FlowLab.PeerAddress, address, 17, Packets.Udp(7421, 7420, 10)), 1);
                RawFrames.Send("veth0", Packets.IPv4(FlowLab.PeerAddress, address, 6, Packets.Tcp(7421, 7420, 0x10)), 1);
            }
        });
        await agent.StopAsync();
        go.SetResult();
        await server;

        int me = Environment.ProcessId;
        foreach (Transport transport in new[] { Transport.Tcp, Transport.Udp })
        {
            Flow[] sent = [.. agent.Flows.Where(flow => flow.Transport == transport && flow.SourcePort == 7421)];
            Assert.Equal(
                addresses.Zip([me, me, me, 0], (address, pid) => $"{address} {pid}"),
                addresses.Select(address =>
                    $"{address} {sent.Single(flow => flow.DestinationAddress.ToString() == address).OwningProcess}"));
        }
    }

    /// <summary>
    /// A raw socket has the number of its protocol where others have their port (raw(7)): it owns neither port 17 of UDP nor port 6 of TCP.
    /// </summary>
    [LiveFact("ip", "ethtool", "python3")]
    public async Task A_raw_socket_owns_no_port()
    {
        const string script = """
            import socket, sys
            held = []
            for family, address in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
                for protocol in (6, 17):
                    s = socket.socket(family, socket.SOCK_RAW, protocol)
                    held.append((s, address))
            print('serving', flush=True)
            for line in sys.stdin:
                for s, address in held: s.sendto(bytes(20), (address, 0))
                print('sent', flush=True)
            """;
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using ChildProcess raw = ChildProcess.Start(
            Tool.Find("ip"), ["netns", "exec", lab.Host, Tool.Find("python3"), "-I", "-c", script]);
        Assert.True(await Wait.UntilAsync(() => raw.Output.Contains("serving", StringComparison.Ordinal), Wait.Hang), raw.Errors);
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent("socket_filter"));
        raw.WriteLine("");
        Assert.True(await Wait.UntilAsync(() => raw.Output.Contains("sent", StringComparison.Ordinal), Wait.Hang), raw.Errors);

        await FlowLab.RunInside(lab.Peer, () =>
        {
            RawFrames.Send("veth0", Packets.IPv4(FlowLab.PeerAddress, FlowLab.HostAddress, 17, Packets.Udp(7431, 17, 10)), 1);
            RawFrames.Send("veth0", Packets.IPv4(FlowLab.PeerAddress, FlowLab.HostAddress, 6, Packets.Tcp(7431, 6, 0x10)), 1);
        });
        await agent.StopAsync();

        Flow[] flows = [.. agent.Flows.Where(static flow => flow.SourcePort == 7431)];
        Assert.Equal([(Transport.Tcp, 6), (Transport.Udp, 17)],
            flows.Select(static flow => (flow.Transport, flow.DestinationPort)).Order());
        Assert.All(flows, static flow => Assert.Equal((0, ""), (flow.OwningProcess, flow.ProcessName)));
    }

    private static void AssertShare(IEnumerable<Flow> flows, Func<Flow, bool> which, Func<Flow, int> owner, int atLeast, double share)
    {
        Flow[] chosen = [.. flows.Where(which)];
        Assert.True(chosen.Length >= atLeast, $"{chosen.Length} flows, at least {atLeast} expected");
        int right = chosen.Count(flow => flow.OwningProcess == owner(flow));
        IEnumerable<string> wrong = chosen.Where(flow => flow.OwningProcess != owner(flow))
            .Select(flow => $"{flow} {flow.Flags} {flow.OwningProcess}");
        Assert.True(
            right >= share * chosen.Length,
            $"{right} of {chosen.Length} flows name their process: {string.Join('\n', wrong.Take(5))}");
    }
}
