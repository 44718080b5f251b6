using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>
/// Frames with their VLAN tags (IEEE 802.1Q, 802.1ad) in the packet instead of beside it, where the kernel's network header says nothing
/// reliable: written by a program, or put in on the way out of an interface that does not add tags by itself. guest-flows has the
/// interfaces for VLANs.
/// </summary>
public sealed class TaggedFrameTests
{
    private const int Service = 0x88a8, PriorityOnly = 3 << 13;
    private const string A = "10.3.0.1", B = "10.3.0.2", A6 = "fd03::1", B6 = "fd03::2";

    public static TheoryData<string> Sources => ["socket_filter", "tc", "tcx"];

    [LiveTheory("ip", "tc", "ethtool", "tcpdump"), MemberData(nameof(Sources))]
    public async Task A_program_writes_them_itself(string source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await WithoutTagOffloadAsync(lab, "veth0");
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source, ("BEYLA_NETWORK_DEDUPER", "none")));
        await using Capture capture = await Capture.StartAsync(lab);

        // What the kernel is told, and so how it sets the network header, is the sender's choice: look, tagged, untagged.
        Dictionary<int, byte[]> sent = [];
        (string, string, string, string, string)[] ways = [(lab.Host, A, B, A6, B6), (lab.Peer, B, A, B6, A6)];
        foreach (ushort told in new ushort[] { 3, 0x8100, Service, 0x0800 })
        {
            foreach ((string ns, string from, string to, string from6, string to6) in ways)
            {
                foreach (byte[] frame in Frames(from, to, from6, to6, 8000 + sent.Count))
                {
                    sent.Add(8000 + sent.Count, frame);
                    await FlowLab.RunInside(ns, () => RawFrames.SendMany("veth0", 3, _ => frame, told));
                }
            }
        }

        Dictionary<Conversation, Amount> truth = await capture.StopAsync();
        await agent.StopAsync();
        AssertSame(truth, agent.Flows, sent);
    }

    [LiveTheory("ip", "tc", "ethtool", "tcpdump"), MemberData(nameof(Sources))]
    public async Task They_are_put_in_on_the_way_out_of_a_bridge(string source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        // What comes in at veth0 has its outer tag beside the packet, and leaves by veth1 with the tag in it again.
        await FlowLab.Ip("-n", lab.Host, "link", "add", "veth1", "type", "veth", "peer", "name", "veth1", "netns", lab.Peer);
        await lab.RunAsync(lab.Host, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1");
        await lab.RunAsync(lab.Peer, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1");
        await FlowLab.Ip("-n", lab.Host, "link", "add", "br0", "type", "bridge");
        foreach (string port in new[] { "veth0", "veth1" })
        {
            await WithoutTagOffloadAsync(lab, port);
            await FlowLab.Ip("-n", lab.Host, "link", "set", port, "address",
                port == "veth0" ? "02:00:00:00:01:00" : "02:00:00:00:01:01", "master", "br0", "promisc", "on", "up");
        }

        await FlowLab.Ip("-n", lab.Peer, "link", "set", "veth1", "up");
        await FlowLab.Ip("-n", lab.Host, "link", "set", "br0", "up");
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source, ("BEYLA_NETWORK_INTERFACES", "veth1")));
        await using Capture capture = await Capture.StartAsync(lab, "veth1");

        Dictionary<int, byte[]> sent = [];
        foreach (byte[] frame in Frames(A, B, A6, B6, 7999).Skip(1))
        {
            sent.Add(8000 + sent.Count, frame);
            await FlowLab.RunInside(lab.Peer, () => RawFrames.Send("veth0", frame, 3));
        }

        Dictionary<Conversation, Amount> truth = await capture.StopAsync();
        await agent.StopAsync();
        AssertSame(truth, agent.Flows, sent);
        Assert.All(
            agent.Flows.Where(flow => flow.DestinationPort == 9), flow => Assert.Equal(InterfaceDirection.Egress, flow.InterfaceDirection));
    }

    /// <summary>None, one, a priority tag, two and three; the first source port is given, and one more each.</summary>
    private static IEnumerable<byte[]> Frames(string from, string to, string from6, string to6, int port)
    {
        yield return Packets.IPv4(from, to, 17, Packets.Udp(port++, 9, 40));
        yield return Packets.Tagged(5, Packets.IPv4(from, to, 17, Packets.Udp(port++, 9, 50)));
        yield return Packets.Tagged(PriorityOnly, Packets.IPv4(from, to, 6, Packets.Tcp(port++, 9, 0x18, 60)));
        yield return Packets.Tagged(5, Packets.IPv6(from6, to6, 17, Packets.Udp(port++, 9, 70)));
        yield return Packets.Tagged(5, Packets.IPv6(from6, to6, 60, [.. Packets.Extension(17), .. Packets.Udp(port++, 9, 70)]));
        yield return Packets.Tagged(100, Packets.Tagged(7, Packets.IPv4(from, to, 17, Packets.Udp(port++, 9, 80))), Service);
        yield return Packets.Tagged(100, Packets.Tagged(7, Packets.IPv6(from6, to6, 6, Packets.Tcp(port++, 9, 0x18, 90))), Service);
        yield return Packets.Tagged(100, Packets.IPv4(from, to, 17, Packets.Udp(port++, 9, 100)), Service);
        yield return Packets.Tagged(1, Packets.Tagged(2, Packets.IPv4(from, to, 17, Packets.Udp(port++, 9, 110))));
        yield return Packets.Tagged(
            1, Packets.Tagged(2, Packets.Tagged(3, Packets.IPv4(from, to, 17, Packets.Udp(port, 9, 120)))), Service);
    }

    private static void AssertSame(Dictionary<Conversation, Amount> truth, IReadOnlyCollection<Flow> flows, Dictionary<int, byte[]> sent)
    {
        string differences = Capture.Differences(truth, Capture.Sum(flows));
        Assert.True(differences.Length == 0, differences);
        // And against what was written, which leans on no decoder.
        Assert.Equal(
            sent.Select(frame => (frame.Key, 3L, 3L * frame.Value.Length)),
            flows.Where(flow => flow.DestinationPort == 9).GroupBy(flow => flow.SourcePort).OrderBy(group => group.Key)
                .Select(group => (group.Key, group.Sum(flow => flow.Packets), group.Sum(flow => flow.Bytes))));
    }

    private static Task<string> WithoutTagOffloadAsync(FlowLab lab, string name) =>
        lab.RunAsync(lab.Host, "ethtool", "-K", name, "txvlan", "off", "tx-vlan-stag-hw-insert", "off");
}
