using System.Net.Sockets;
using Beyla.Live.Tests.Flows;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Statistics;

/// <summary>
/// Bytes of payload, counted by who sends and reads them: in both families, however a connection ends. The kernel's own counter of
/// received bytes has a FIN in it, or not.
/// </summary>
public sealed class BytesTests
{
    private const int Request = 123_457, Answer = 9, Late = 4_321;

    [LiveTheory("ip", "ethtool")]
    [InlineData(FlowLab.PeerAddress)]
    [InlineData(FlowLab.PeerAddress6)]
    public async Task Each_way_to_end_counts_the_payload_and_nothing_else(string address)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(StatisticLine.Agent);
        List<(string Way, TcpPair Pair, long Up, long Down)> ended = [];
        foreach ((string way, Action<Socket, Socket> end, long up, long down) in Ways)
        {
            TcpPair pair = await TcpPair.ConnectAsync(lab, address);
            TcpPair.Move(pair.Client, pair.Server, Request);
            TcpPair.Move(pair.Server, pair.Client, Answer);
            end(pair.Client, pair.Server);
            pair.Dispose();
            ended.Add((way, pair, Request + up, Answer + down));
        }

        foreach ((_, TcpPair pair, _, _) in ended)
        {
            await StatisticLine.UntilClosedAsync(agent, pair.ClientEnd, pair.ServerEnd);
            await StatisticLine.UntilClosedAsync(agent, pair.ServerEnd, pair.ClientEnd);
        }

        await agent.StopAsync();
        foreach ((string way, TcpPair pair, long up, long down) in ended)
        {
            AssertEnd(way, "client", up, down, StatisticLine.Of(agent, pair.ClientEnd, pair.ServerEnd));
            AssertEnd(way, "server", down, up, StatisticLine.Of(agent, pair.ServerEnd, pair.ClientEnd));
        }
    }

    /// <summary>What happens when all is read, and what that sends.</summary>
    private static IEnumerable<(string Way, Action<Socket, Socket> End, long Up, long Down)> Ways =>
    [
        ("the client closes first", (client, server) => { client.Close(); TcpPair.ReadEnd(server); server.Close(); }, 0, 0),
        ("the server closes first", (client, server) => { server.Close(); TcpPair.ReadEnd(client); client.Close(); }, 0, 0),
        ("the client resets", (client, _) => TcpPair.Reset(client), 0, 0),
        ("the server resets", (_, server) => TcpPair.Reset(server), 0, 0),
        ("data after the client's FIN", (client, server) =>
        {
            client.Shutdown(SocketShutdown.Send);
            TcpPair.ReadEnd(server);
            TcpPair.Move(server, client, Late);
            server.Close();
            TcpPair.ReadEnd(client);
            client.Close();
        }, 0, Late),
        ("data after the server's FIN", (client, server) =>
        {
            server.Shutdown(SocketShutdown.Send);
            TcpPair.ReadEnd(client);
            TcpPair.Move(client, server, Late);
            client.Close();
            TcpPair.ReadEnd(server);
            server.Close();
        }, Late, 0),
        ("a reset after a FIN", (client, server) =>
        {
            client.Shutdown(SocketShutdown.Send);
            TcpPair.ReadEnd(server);
            TcpPair.Reset(server);
            client.Close();
        }, 0, 0),
        ("both shut down and then close", (client, server) =>
        {
            client.Shutdown(SocketShutdown.Send);
            server.Shutdown(SocketShutdown.Send);
            TcpPair.ReadEnd(client);
            TcpPair.ReadEnd(server);
            client.Close();
            server.Close();
        }, 0, 0),
    ];

    private static void AssertEnd(string way, string role, long sent, long received, StatisticLine[] lines)
    {
        Assert.Equal((way, role, "established"), (way, lines[0].Role, lines[0].Kind));
        Assert.All(lines, line => Assert.Equal((way, role), (way, line.Role)));
        Assert.Equal((way, role, sent, received), (way, role, lines.Sum(line => line.Sent), lines.Sum(line => line.Received)));
        Assert.Equal((way, "closed"), (way, lines[^1].Kind));
        Assert.True(lines[^1].RoundTrip > 0, way);
        // Between the two there may be walks.
        Assert.All(lines[1..^1], line => Assert.Equal("open", line.Kind));
    }
}
