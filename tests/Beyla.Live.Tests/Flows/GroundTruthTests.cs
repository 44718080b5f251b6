using System.Net;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>
/// Known traffic through a veth pair: what the agent reports against a capture, flow by flow, and against the interface's own counters.
/// </summary>
public sealed class GroundTruthTests
{
    public static TheoryData<string> Sources => ["socket_filter", "tc", "tcx"];

    [LiveTheory("ip", "tc", "ethtool", "tcpdump", "ping"), MemberData(nameof(Sources))]
    public async Task Every_flow_is_exact(string source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source, ("BEYLA_NETWORK_EXCLUDE_INTERFACES", "lo")));
        await using Capture capture = await Capture.StartAsync(lab);
        (Amount inBefore, Amount outBefore) = await lab.CountersAsync();

        await Traffic.Exchange(lab, FlowLab.PeerAddress, 7001, connections: 20, bytes: 20_000);
        await Traffic.Exchange(lab, FlowLab.PeerAddress6, 7002, connections: 5, bytes: 50_000);
        await Traffic.Datagrams(lab, FlowLab.PeerAddress, 7003, 100, 64); // answered by ICMP port unreachable
        await Traffic.Datagrams(lab, FlowLab.PeerAddress, 7004, 10, 4000); // in fragments
        await Traffic.Datagrams(lab, FlowLab.PeerAddress6, 7005, 10, 4000);
        await lab.RunAsync(lab.Host, "ping", "-c", "5", "-i", "0.05", FlowLab.PeerAddress);
        await lab.RunAsync(lab.Host, "ping", "-c", "5", "-i", "0.05", FlowLab.PeerAddress6);
        byte[][] frames =
        [
            Packets.Tagged(5, Packets.IPv4("10.1.1.1", "10.1.1.2", 17, Packets.Udp(1, 2, 100))),
            Packets.IPv4("10.1.1.1", "10.1.1.2", 132, Packets.Sctp(3, 4)),
        ];
        foreach (byte[] frame in frames)
        {
            await FlowLab.RunInside(lab.Peer, () => RawFrames.Send("veth0", frame, 7));
        }

        Dictionary<Conversation, Amount> truth = await capture.StopAsync();
        (Amount inAfter, Amount outAfter) = await lab.CountersAsync();
        await agent.StopAsync();

        string differences = Capture.Differences(truth, Capture.Sum(agent.Flows));
        Assert.True(differences.Length == 0, differences);
        Assert.Equal(7, Assert.Single(agent.Flows, flow => flow.Transport == Transport.Sctp).Packets);
        PlaceCount packets = agent.Counters["interfaces packets"], bytes = agent.Counters["traffic bytes"];
        Assert.Equal((0L, 0L), (packets.Held, bytes.Held));
        // The agent began before the first look at the interface's counters and ended after the second one.
        Amount interfaceCounted = new(inAfter.Bytes - inBefore.Bytes + outAfter.Bytes - outBefore.Bytes,
            inAfter.Packets - inBefore.Packets + outAfter.Packets - outBefore.Packets);
        Assert.InRange(interfaceCounted.Bytes, 1_000_000, bytes.Produced);
        Assert.InRange(bytes.Produced - interfaceCounted.Bytes, 0, 2000); // neighbour discovery in between
        Assert.All(agent.Flows, flow => Assert.Equal("veth0", flow.Interface));
        AssertConversation(agent.Flows, source);
    }

    [LiveFact("ip", "ethtool")]
    public async Task Super_frames_are_counted_as_they_go_over_the_wire()
    {
        // tc sees super-frames on their way out; the kernel cuts them behind it, before the interface counts them.
        await using FlowLab lab = await FlowLab.CreateAsync(offload: true);
        await lab.RunAsync(lab.Host, "ethtool", "-K", "veth0", "tso", "off");
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent("tcx", ("BEYLA_NETWORK_DIRECTION", "egress")));
        (_, Amount before) = await lab.CountersAsync();

        await Traffic.Exchange(lab, FlowLab.PeerAddress, 7010, connections: 1, bytes: 3_000_000);
        await Traffic.Exchange(lab, FlowLab.PeerAddress6, 7011, connections: 1, bytes: 3_000_000);

        (_, Amount after) = await lab.CountersAsync();
        await agent.StopAsync();
        Amount reported = new(agent.Counters["traffic bytes"].Produced, agent.Counters["interfaces packets"].Produced);
        Assert.Equal(new Amount(after.Bytes - before.Bytes, after.Packets - before.Packets), reported);
        Assert.True(agent.Flows.Sum(flow => flow.Packets) > 4000);
    }

    [LiveTheory("ip", "ethtool"), MemberData(nameof(Sources))]
    public async Task Loopback_is_seen_by_every_way_in_when_it_is_named(string source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source, ("BEYLA_NETWORK_INTERFACES", "lo")));

        await Traffic.Datagrams(lab, FlowLab.HostAddress, 7020, 50, 100);
        await agent.StopAsync();

        Flow flow = Assert.Single(agent.Flows, flow => flow.DestinationPort == 7020);
        // Seen going out and coming in, reported once.
        Assert.Equal(
            ("lo", InterfaceDirection.Egress, 50L, 50L * 142), (flow.Interface, flow.InterfaceDirection, flow.Packets, flow.Bytes));
    }

    [LiveTheory("ip", "ethtool"), MemberData(nameof(Sources))]
    public async Task Loopback_is_left_out_unless_the_exclusion_is_empty(string source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using (AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source)))
        {
            await Traffic.Datagrams(lab, FlowLab.HostAddress, 7021, 10, 100);
            await agent.StopAsync();
            Assert.DoesNotContain(agent.Flows, flow => flow.DestinationPort == 7021);
        }

        await using (AgentProcess agent = await AgentProcess.StartAsync(
            lab.Agent(source, ("BEYLA_NETWORK_EXCLUDE_INTERFACES", ""), ("BEYLA_NETWORK_DEDUPER", "none"))))
        {
            await Traffic.Datagrams(lab, FlowLab.HostAddress, 7022, 10, 100);
            await agent.StopAsync();
            Assert.Equal(
                [(InterfaceDirection.Ingress, 10L), (InterfaceDirection.Egress, 10L)],
                agent.Flows.Where(flow => flow.DestinationPort == 7022).Select(flow => (flow.InterfaceDirection, flow.Packets)).Order());
        }
    }

    private static void AssertConversation(IReadOnlyCollection<Flow> flows, string source)
    {
        Flow[] requests = [.. flows.Where(flow => flow.DestinationPort == 7001)];
        Flow[] responses = [.. flows.Where(flow => flow.SourcePort == 7001)];
        Assert.Equal(20, requests.Select(flow => flow.SourcePort).Distinct().Count());
        Assert.Equal(20, responses.Select(flow => flow.DestinationPort).Distinct().Count());
        Assert.All(requests,
            flow => Assert.Equal((FlowDirection.Request, InterfaceDirection.Egress), (flow.Direction, flow.InterfaceDirection)));
        Assert.All(responses,
            flow => Assert.Equal((FlowDirection.Response, InterfaceDirection.Ingress), (flow.Direction, flow.InterfaceDirection)));
        Assert.All(requests, flow => Assert.Equal(
            (IPAddress.Parse(FlowLab.HostAddress), IPAddress.Parse(FlowLab.PeerAddress), 7001),
            (flow.LocalAddress, flow.RemoteAddress, flow.RemotePort)));
        Assert.All(requests.GroupBy(flow => flow.SourcePort), group => Assert.True(
            group.Aggregate(TcpFlags.None, (all, flow) => all | flow.Flags)
                .HasFlag(TcpFlags.Syn | TcpFlags.Fin | TcpFlags.Psh | TcpFlags.Ack), source));
        Assert.All(flows, flow => Assert.InRange(flow.LastSeen, flow.FirstSeen, DateTimeOffset.UtcNow));
        Assert.All(requests, flow => Assert.InRange(flow.FirstSeen, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow));
        // fragments have the ports of the first one
        Assert.DoesNotContain(flows, flow => flow.SourcePort == 0 && flow.Transport == Transport.Udp);
    }
}
