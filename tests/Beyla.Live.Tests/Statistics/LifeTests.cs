using System.Net;
using System.Net.Sockets;
using Beyla.Live.Tests.Flows;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Statistics;

/// <summary>Many connections, those that were there before, and the agent's own beginning and end.</summary>
public sealed class LifeTests
{
    [LiveFact]
    public async Task Of_two_thousand_short_connections_each_is_told_of_at_both_ends()
    {
        const int count = 2000, up = 100, down = 10;
        await using AgentProcess agent = await AgentProcess.StartAsync(StatisticLine.Agent);
        // Nobody else has this one of the loopback addresses.
        IPAddress own = new([127, 77, (byte)(Environment.ProcessId >> 8), (byte)Environment.ProcessId]);
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(own, 0));
        listener.Listen();
        for (int i = 0; i < count; i++)
        {
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(listener.LocalEndPoint!);
            using Socket server = listener.Accept();
            TcpPair.Move(client, server, up);
            TcpPair.Move(server, client, down);
        }

        string local = $" local.address={own} ", remote = $" remote.address={own} ";
        await StatisticLine.UntilAsync(agent, () => Lines(local, "closed").Count() >= count && Lines(remote, "closed").Count() >= count);
        await agent.StopAsync();
        Assert.Equal((count, count), (Lines(local, "established").Count(), Lines(local, "closed").Count()));
        Assert.Equal((count, count), (Lines(remote, "established").Count(), Lines(remote, "closed").Count()));
        StatisticLine[] servers = [.. StatisticLine.Of(agent).Where(line => line.Local.Address.Equals(own))],
            clients = [.. StatisticLine.Of(agent).Where(line => line.Remote.Address.Equals(own))];
        Assert.Equal((count * down, count * up), (servers.Sum(line => line.Sent), servers.Sum(line => line.Received)));
        Assert.Equal((count * up, count * down), (clients.Sum(line => line.Sent), clients.Sum(line => line.Received)));
        Assert.All(servers, line => Assert.Equal("server", line.Role));
        Assert.All(clients, line => Assert.Equal("client", line.Role));

        IEnumerable<string> Lines(string end, string kind) => agent.OutputLines.Where(
            line => line.Contains(end, StringComparison.Ordinal) && line.Contains($" kind={kind} ", StringComparison.Ordinal));
    }

    /// <summary>What was before the agent is not told; nobody knows who called.</summary>
    [LiveFact("ip", "ethtool")]
    public async Task Of_older_connections_only_what_comes_after_is_told()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using TcpPair pair = await TcpPair.ConnectAsync(lab);
        using Socket listener = await TcpPair.ListenAsync(lab.Peer, FlowLab.PeerAddress6);
        // No process has this end of it: nobody has accepted it.
        Socket? waiting = null;
        await FlowLab.RunInside(lab.Host, () =>
        {
            waiting = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            waiting.Connect(listener.LocalEndPoint!);
            waiting.Send(new byte[5000]);
        });
        (EndPoint near, EndPoint far) = (waiting!.LocalEndPoint!, waiting.RemoteEndPoint!);
        TcpPair.Move(pair.Client, pair.Server, 100_000);
        TcpPair.Move(pair.Server, pair.Client, 7000);

        await using AgentProcess agent = await AgentProcess.StartAsync(StatisticLine.Agent);
        TcpPair.Move(pair.Client, pair.Server, 321);
        TcpPair.Move(pair.Server, pair.Client, 45);
        pair.Server.Close();
        TcpPair.ReadEnd(pair.Client);
        pair.Client.Close();
        listener.Close();
        waiting.Dispose();
        foreach ((EndPoint one, EndPoint other) in ((EndPoint, EndPoint)[])
            [(pair.ClientEnd, pair.ServerEnd), (pair.ServerEnd, pair.ClientEnd), (near, far), (far, near)])
        {
            await StatisticLine.UntilClosedAsync(agent, one, other);
        }

        await agent.StopAsync();
        AssertTold(pair.ClientEnd, pair.ServerEnd, 321, 45);
        AssertTold(pair.ServerEnd, pair.ClientEnd, 45, 321);
        AssertTold(near, far, 0, 0);
        AssertTold(far, near, 0, 0);

        void AssertTold(EndPoint local, EndPoint remote, long sent, long received)
        {
            StatisticLine[] lines = StatisticLine.Of(agent, local, remote);
            Assert.Equal((sent, received), (lines.Sum(line => line.Sent), lines.Sum(line => line.Received)));
            Assert.All(lines, line => Assert.Equal("unknown", line.Role));
            Assert.True(Assert.Single(lines, line => line.Kind == "closed").RoundTrip > 0);
            Assert.DoesNotContain(lines, line => line.Kind == "established");
        }
    }

    /// <summary>The last look is told, and then nothing more is there; one socket in several places is told of once.</summary>
    [LiveFact("ip", "ethtool")]
    public async Task At_the_end_what_is_open_is_told()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(StatisticLine.Agent);
        using TcpPair pair = await TcpPair.ConnectAsync(lab);
        TcpPair.Move(pair.Client, pair.Server, 1234);
        await agent.StopAsync();
        StatisticLine[] client = StatisticLine.Of(agent, pair.ClientEnd, pair.ServerEnd),
            server = StatisticLine.Of(agent, pair.ServerEnd, pair.ClientEnd);
        Assert.Equal((1234, "established"), (client.Sum(line => line.Sent), client[0].Kind));
        Assert.Equal((1234, "established"), (server.Sum(line => line.Received), server[0].Kind));
        Assert.All(client[1..].Concat(server[1..]), line => Assert.Equal("open", line.Kind));
    }

    [LiveFact("bpftool")]
    public async Task An_agent_that_is_killed_leaves_nothing()
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(StatisticLine.Agent);
        BpfFootprint held = BpfFootprint.Of(agent.Pid);
        Assert.Equal((2, 2), (held.Programs.Count, held.Links.Count));
        agent.Signal(ChildProcess.SIGKILL);
        _ = await agent.WaitForExitAsync(Wait.Hang);
        Assert.True((await held.LeftAsync()).IsEmpty);
    }

    /// <summary>Lines between objects would spoil the stream.</summary>
    [LiveFact]
    public async Task A_stream_of_objects_has_none_of_the_lines()
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.ForPorts(FreePort.Next()).With("BEYLA_STATS_PRINT_STATS", "1"));
        Assert.Contains("statistics=yes", agent.Errors, StringComparison.Ordinal);
        IPEndPoint self = new(IPAddress.Loopback, FreePort.Next());
        using (Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            socket.Bind(self);
            socket.Connect(self);
        }

        // Whose stream cannot be read does not end well.
        await agent.StopAsync();
        Assert.Contains("msg=\"TCP statistics are not printed\"", agent.Errors, StringComparison.Ordinal);
        Assert.InRange(agent.Counters["statistics"].Produced, 2, long.MaxValue);
    }
}
