using System.Net;
using System.Net.Sockets;
using Beyla.Live.Tests.Flows;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Statistics;

/// <summary>Connections that are not made, by the errno that connect(2) gives, which the test's own socket gets too.</summary>
public sealed class FailureTests
{
    /// <summary>Addresses of the lab's network: one that takes frames and says nothing, and one that nobody has at all.</summary>
    private const string Silent = "198.18.9.77", NoRoute = "203.0.113.1";

    [LiveFact("ip", "ethtool")]
    public async Task Each_failure_is_told_once_with_its_reason()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await FlowLab.Ip("-n", lab.Host, "neigh", "add", Silent, "lladdr", "02:00:00:00:00:99", "dev", "veth0", "nud", "permanent");
        await lab.RunAsync(lab.Host, "sysctl", "-qw", "net.ipv4.tcp_syn_retries=1");
        await using AgentProcess agent = await AgentProcess.StartAsync(StatisticLine.Agent);
        int closed = FreePort.Next(), silent = FreePort.Next(), given = FreePort.Next(), routeless = FreePort.Next();
        await FlowLab.RunInside(lab.Host, () =>
        {
            Assert.Equal(SocketError.NetworkUnreachable, Connect(NoRoute, routeless));
            Assert.Equal(SocketError.ConnectionRefused, Connect(FlowLab.PeerAddress, closed));
            Assert.Equal(SocketError.ConnectionRefused, Connect(FlowLab.PeerAddress6, closed));
            Assert.Equal(SocketError.TimedOut, Connect(Silent, silent));
        });
        // Nobody else is there, and all of them were of handshakes; how many there are depends on the kernel (ip-sysctl: tcp_syn_retries).
        long again = await TcpPair.RetransmitsOfAsync(lab.Host);
        await FlowLab.RunInside(lab.Host, () =>
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            Assert.Equal(
                SocketError.WouldBlock,
                Assert.Throws<SocketException>(() => socket.Connect(IPAddress.Parse(Silent), given)).SocketErrorCode);
        });
        await StatisticLine.UntilAsync(
            agent, () => Of(agent, closed).Length == 2 && Of(agent, silent).Length > 0 && Of(agent, given).Length > 0);
        await agent.StopAsync();

        Assert.Equal(["ECONNREFUSED", "ECONNREFUSED"], Of(agent, closed).Select(line => line.Error));
        Assert.Equal(
            [FlowLab.PeerAddress, FlowLab.PeerAddress6], Of(agent, closed).Select(line => line.Remote.Address.ToString()));
        Assert.Equal(
            [FlowLab.HostAddress, FlowLab.HostAddress6], Of(agent, closed).Select(line => line.Local.Address.ToString()));
        StatisticLine timedOut = Assert.Single(Of(agent, silent)), givenUp = Assert.Single(Of(agent, given));
        Assert.InRange(again, 1, 6);
        Assert.Equal(("ETIMEDOUT", again), (timedOut.Error, timedOut.Retransmits));
        Assert.Equal("canceled", givenUp.Error);
        Assert.All(StatisticLine.Of(agent).Where(line => line.Remote.Port == closed || line.Remote.Port == silent), line =>
        {
            Assert.Equal(("failed", "client"), (line.Kind, line.Role));
            Assert.NotEqual(0, line.Local.Port);
        });
        // No SYN was ever sent.
        Assert.Empty(Of(agent, routeless));

        static StatisticLine[] Of(AgentProcess agent, int port) => [.. StatisticLine.Of(agent).Where(line => line.Remote.Port == port)];
    }

    /// <summary>The kernel keeps this errno to itself: it says it to the caller, and does not note it at the socket.</summary>
    [LiveFact("ip", "ethtool")]
    public async Task A_client_for_which_no_port_is_left_is_told_of()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await lab.RunAsync(lab.Host, "sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40000");
        await using AgentProcess agent = await AgentProcess.StartAsync(StatisticLine.Agent);
        using Socket listener = await TcpPair.ListenAsync(lab.Peer, FlowLab.PeerAddress);
        using TcpPair pair = await TcpPair.ConnectAsync(lab.Host, listener);
        IPEndPoint to = (IPEndPoint)pair.ServerEnd;
        await FlowLab.RunInside(
            lab.Host, () => Assert.Equal(SocketError.AddressNotAvailable, Connect(FlowLab.PeerAddress, to.Port)));
        await StatisticLine.UntilAsync(agent, () => StatisticLine.Of(agent).Any(line => line.Kind == "failed" && line.Remote.Equals(to)));
        await agent.StopAsync();
        StatisticLine failed = Assert.Single(StatisticLine.Of(agent), line => line.Kind == "failed" && line.Remote.Equals(to));
        Assert.Equal(("EADDRNOTAVAIL", 0, 0), (failed.Error, failed.Local.Port, failed.Retransmits));
    }

    /// <summary>Both ends call, which a socket can do with itself (RFC 9293, 3.5): nobody has listened.</summary>
    [LiveFact]
    public async Task Who_connects_to_himself_is_a_client()
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(StatisticLine.Agent);
        IPEndPoint self = new(IPAddress.Loopback, FreePort.Next());
        using (Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            socket.Bind(self);
            socket.Connect(self);
            TcpPair.Move(socket, socket, 1000);
        }

        await StatisticLine.UntilClosedAsync(agent, self, self);
        await agent.StopAsync();
        StatisticLine[] lines = StatisticLine.Of(agent, self, self);
        Assert.All(lines, line => Assert.Equal("client", line.Role));
        Assert.Equal(("established", "closed"), (lines[0].Kind, lines[^1].Kind));
        Assert.Equal((1000, 1000), (lines.Sum(line => line.Sent), lines.Sum(line => line.Received)));
    }

    private static SocketError Connect(string address, int port)
    {
        using Socket socket = new(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        return Assert.ThrowsAny<SocketException>(() => socket.Connect(IPAddress.Parse(address), port)).SocketErrorCode;
    }
}
