using System.Net;
using Beyla.Live.Tests.Flows;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Statistics;

/// <summary>
/// Lost segments and late answers. The kernel's own counts are the truth; not each kernel has netem, so a wrong link-layer address loses
/// segments on their way, and a receiver that waits with its acknowledgement (RFC 1122, 4.2.3.2) is far away.
/// </summary>
public sealed class NetworkTests
{
    [LiveFact("ip", "ethtool")]
    public async Task Segments_that_are_sent_again_are_counted_and_their_bytes_are_not()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(StatisticLine.Agent);
        using TcpPair pair = await TcpPair.ConnectAsync(lab);
        const int sent = 20_000;
        await SetPeerAsync("02:00:00:00:00:99");
        Assert.Equal(sent, pair.Client.Send(new byte[sent]));
        Assert.True(await Wait.UntilAsync(() => TcpPair.Information(pair.Client).Retransmits >= 3, Wait.Hang));
        await SetPeerAsync("02:00:00:00:00:02");
        for (int got = 0; got < sent;)
        {
            got += pair.Server.Receive(new byte[sent]);
        }

        await pair.SettleAsync();
        uint again = TcpPair.Information(pair.Client).Retransmits;
        // The whole namespace, in which there is nobody else.
        Assert.Equal(again, await TcpPair.RetransmitsOfAsync(lab.Host));
        pair.Client.Close();
        TcpPair.ReadEnd(pair.Server);
        pair.Server.Close();
        await StatisticLine.UntilClosedAsync(agent, pair.ClientEnd, pair.ServerEnd);
        await StatisticLine.UntilClosedAsync(agent, pair.ServerEnd, pair.ClientEnd);
        await agent.StopAsync();

        StatisticLine[] client = StatisticLine.Of(agent, pair.ClientEnd, pair.ServerEnd),
            server = StatisticLine.Of(agent, pair.ServerEnd, pair.ClientEnd);
        Assert.Equal(again, client.Sum(line => line.Retransmits));
        Assert.Equal((sent, 0), (client.Sum(line => line.Sent), client.Sum(line => line.Received)));
        Assert.Equal((sent, 0), (server.Sum(line => line.Received), server.Sum(line => line.Sent)));
        Assert.Equal(await TcpPair.RetransmitsOfAsync(lab.Peer), server.Sum(line => line.Retransmits));

        Task SetPeerAsync(string mac) => FlowLab.Ip(
            "-n", lab.Host, "neigh", "replace", FlowLab.PeerAddress, "lladdr", mac, "dev", "veth0", "nud", "permanent");
    }

    /// <summary>A connection that goes on is told of, with the round trip that TCP_INFO has.</summary>
    [LiveFact("ip", "ethtool")]
    public async Task A_long_connection_is_told_of_while_it_is_open_with_its_round_trip()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(StatisticLine.Agent);
        using TcpPair pair = await TcpPair.ConnectAsync(lab);
        bool same = false;
        int sent = 0;
        // TCP_QUICKACK off: an acknowledgement waits 40 ms for an answer that would carry it.
        pair.Server.SetRawSocketOption(6, 12, new byte[4]);
        // A look may fall between the last segment and its acknowledgement, and there is no further one without news; not each time.
        for (int attempt = 0; attempt < 4 && !same; attempt++)
        {
            TcpPair.Move(pair.Client, pair.Server, 100);
            await pair.SettleAsync();
            TcpPair.Move(pair.Server, pair.Client, 100);
            sent += 100;
            await pair.SettleAsync();
            uint client = TcpPair.Information(pair.Client).RoundTrip, server = TcpPair.Information(pair.Server).RoundTrip;
            Assert.InRange(client, 4_000u, uint.MaxValue);
            await StatisticLine.UntilAsync(agent, () => IsTold(pair.ClientEnd, pair.ServerEnd) && IsTold(pair.ServerEnd, pair.ClientEnd));
            same = Last(pair.ClientEnd, pair.ServerEnd).RoundTrip == client && Last(pair.ServerEnd, pair.ClientEnd).RoundTrip == server;
        }

        Assert.True(same, agent.Output);
        Assert.DoesNotContain(StatisticLine.Of(agent, pair.ClientEnd, pair.ServerEnd), line => line.Kind == "closed");
        TcpPair.Move(pair.Client, pair.Server, 50);
        pair.Client.Close();
        TcpPair.ReadEnd(pair.Server);
        pair.Server.Close();
        await StatisticLine.UntilClosedAsync(agent, pair.ClientEnd, pair.ServerEnd);
        await StatisticLine.UntilClosedAsync(agent, pair.ServerEnd, pair.ClientEnd);
        await agent.StopAsync();
        StatisticLine[] lines = StatisticLine.Of(agent, pair.ClientEnd, pair.ServerEnd);
        Assert.Equal((sent + 50, sent), (lines.Sum(line => line.Sent), lines.Sum(line => line.Received)));
        Assert.All(lines.Where(line => line.Kind == "closed"), line => Assert.InRange(line.RoundTrip, 1, long.MaxValue));

        bool IsTold(EndPoint local, EndPoint remote) =>
            StatisticLine.Of(agent, local, remote).Where(line => line.Kind == "open").Sum(line => line.Sent) == sent;

        StatisticLine Last(EndPoint local, EndPoint remote) => StatisticLine.Of(agent, local, remote)[^1];
    }
}
