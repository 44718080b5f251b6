using System.Diagnostics;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>More flows than the kernel's map holds.</summary>
public sealed class VolumeTests
{
    [LiveTheory("ip", "ethtool"), InlineData("socket_filter"), InlineData("tcx")]
    public async Task Ten_thousand_short_connections_with_default_settings(string source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source, ("BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT", "5s")));
        (Amount inBefore, Amount outBefore) = await lab.CountersAsync();

        await Task.WhenAll(
            Traffic.Exchange(lab, FlowLab.PeerAddress, 7101, connections: 5000, bytes: 100),
            Traffic.Exchange(lab, FlowLab.PeerAddress, 7102, connections: 5000, bytes: 100));

        (Amount inAfter, Amount outAfter) = await lab.CountersAsync();
        await agent.StopAsync(ChildProcess.SIGINT, "interfaces", "traffic");

        PlaceCount traffic = agent.Counters["traffic bytes"];
        long onTheWire = inAfter.Bytes - inBefore.Bytes + outAfter.Bytes - outBefore.Bytes;
        Assert.InRange(traffic.Produced, onTheWire, onTheWire + 2000);
        Assert.Equal(traffic.Produced, agent.Flows.Sum(flow => flow.Bytes) + traffic.Lost + traffic.Filtered);
        Assert.InRange(traffic.Lost, 0, traffic.Produced / 1000);
        Flow[] ours = [.. agent.Flows.Where(flow => flow.RemotePort is 7101 or 7102)];
        if (traffic.Lost == 0)
        {
            Assert.Equal(10_000, ours.Select(flow => (flow.LocalPort, flow.RemotePort)).Distinct().Count());
        }
    }

    [LiveTheory("ip", "ethtool"), InlineData("socket_filter"), InlineData("tcx")]
    public async Task Twelve_thousand_new_connections_per_second_with_default_settings(string source)
    {
        const int perSecond = 12_000, count = 5 * perSecond;
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source, ("BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT", "5s")));

        await FlowLab.RunInside(lab.Peer, () =>
        {
            Stopwatch clock = Stopwatch.StartNew();
            RawFrames.SendMany("veth0", 2 * count, i =>
            {
                while (i / 2 >= clock.Elapsed.TotalSeconds * perSecond)
                {
                    Thread.Sleep(1);
                }

                return Packets.IPv4(
                    "198.18.9.2", "198.18.9.1", 6, Packets.Tcp(1024 + i / 2, 7110, (byte)(i % 2 == 0 ? 0x02 : 0x11), i % 2 * 600));
            });
        });
        await agent.StopAsync(ChildProcess.SIGINT, "interfaces", "traffic");

        PlaceCount traffic = agent.Counters["traffic bytes"];
        Flow[] ours = [.. agent.Flows.Where(flow => flow.DestinationPort == 7110)];
        long sent = count * (54L + 654), seen = ours.Sum(flow => flow.Bytes);
        Assert.InRange(seen, sent * 999 / 1000, sent);
        Assert.InRange(sent - seen, 0, traffic.Lost);
        if (traffic.Lost == 0)
        {
            Assert.Equal(count, ours.Select(flow => flow.SourcePort).Distinct().Count());
        }
    }

    [LiveTheory("ip", "ethtool"), InlineData(100_000), InlineData(10_000)]
    public async Task A_hundred_thousand_concurrent_flows(int size)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(
            "tcx",
            ("BEYLA_NETWORK_CACHE_MAX_FLOWS", $"{size}"), ("BEYLA_NETWORK_DIRECTION", "ingress"),
            ("BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT", "60s"),
            ("BEYLA_NETWORK_PROTOCOLS", "UDP")));

        // As fast as they can be sent, one packet each, and once more.
        await FlowLab.RunInside(lab.Peer, () =>
        {
            for (int round = 0; round < 2; round++)
            {
                RawFrames.SendMany("veth0", 100_000,
                    i => Packets.IPv4("198.18.9.2", "198.18.9.1", 17, Packets.Udp(1 + i % 50_000, 20_000 + i / 50_000, 10)));
            }
        });
        await agent.StopAsync(ChildProcess.SIGINT, "interfaces", "traffic");

        PlaceCount packets = agent.Counters["interfaces packets"];
        Assert.Equal(200_000, packets.Produced - packets.Filtered);
        Assert.Equal(200_000, agent.Flows.Sum(flow => flow.Packets) + packets.Lost);
        if (size == 100_000)
        {
            Assert.Equal(0, packets.Lost);
        }
    }
}
