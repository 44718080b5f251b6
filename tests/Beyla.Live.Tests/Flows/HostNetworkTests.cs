using System.Net;
using Beyla.Agent.Configuration;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>What the half without capabilities knows of the host's interfaces, from the kernel's own notifications.</summary>
public sealed class HostNetworkTests
{
    [LiveFact("ip", "ethtool")]
    public async Task Names_are_the_newest_and_stay_when_an_interface_went_between_two_looks()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        HostNetwork network = null!;
        await FlowLab.RunInside(lab.Host, () => network = new HostNetwork(new NetworkConfiguration()));
        using (network)
        {
            Assert.Equal("", network.NameOf(91));
            await FlowLab.Ip(
                "-n", lab.Host, "link", "add", "dev", "brief", "index", "91", "type", "veth", "peer", "name", "brief", "netns", lab.Peer);
            await FlowLab.Ip("-n", lab.Host, "link", "delete", "brief");
            await FlowLab.Ip(
                "-n", lab.Host, "link", "add", "dev", "before", "index", "92", "type", "veth", "peer", "name", "before", "netns", lab.Peer);
            await FlowLab.Ip("-n", lab.Host, "link", "set", "before", "name", "after");
            network.Follow();
            Assert.Equal(("brief", "after"), (network.NameOf(91), network.NameOf(92)));

            await FlowLab.Ip("-n", lab.Host, "link", "delete", "after");
            network.Follow();
            Assert.Equal("after", network.NameOf(92));
        }
    }

    [LiveFact("ip", "ethtool")]
    public async Task Addresses_are_the_hosts_from_the_moment_they_are_there_until_they_are_gone()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        HostNetwork network = null!;
        Address added = Address.From(IPAddress.Parse("203.0.113.77"));
        await FlowLab.RunInside(lab.Host, () => network = new HostNetwork(new NetworkConfiguration()));
        using (network)
        {
            Assert.True(network.IsOurs(Address.From(IPAddress.Parse(FlowLab.HostAddress))));
            Assert.Equal(FlowLab.HostAddress, network.AgentAddress.ToIPAddress().ToString());
            Assert.False(network.IsOurs(in added));
            await FlowLab.Ip("-n", lab.Host, "address", "add", "203.0.113.77/24", "dev", "veth0");
            network.Follow();
            Assert.True(network.IsOurs(in added));
            await FlowLab.Ip("-n", lab.Host, "address", "delete", "203.0.113.77/24", "dev", "veth0");
            network.Follow();
            Assert.False(network.IsOurs(in added));
        }
    }
}
