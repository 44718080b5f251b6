using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Flows;

/// <summary>Settings, good and bad.</summary>
public sealed class FlowUsageTests
{
    [LiveTheory("ip", "ethtool")]
    [InlineData("BEYLA_NETWORK_CIDRS", "10.0.0.0/33")]
    [InlineData("BEYLA_NETWORK_INTERFACES", "/(/")]
    [InlineData("BEYLA_NETWORK_CACHE_MAX_FLOWS", "0")]
    [InlineData("BEYLA_NETWORK_PROTOCOLS", "TPC")]
    [InlineData("BEYLA_NETWORK_SOURCE", "xdp")]
    public async Task A_bad_value_is_named_and_nothing_is_loaded(string name, string value)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = AgentProcess.Launch(lab.Agent("socket_filter", (name, value)) with { ReadsAsText = true });

        Assert.Equal(2, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains(value, agent.Errors, StringComparison.Ordinal);
        Assert.Contains(name, agent.Errors, StringComparison.Ordinal);
    }

    [LiveFact("ip", "ethtool")]
    public async Task An_unknown_interface_is_waited_for()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent("socket_filter", ("BEYLA_NETWORK_INTERFACES", "eht0")));

        Assert.Contains(agent.ErrorLines, line => line.Contains("level=WARN", StringComparison.Ordinal)
            && line.Contains("no interface matches eht0 now", StringComparison.Ordinal));
        await agent.StopAsync();
    }

    [LiveFact("ip", "ethtool")]
    public async Task Names_protocols_and_polling()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(
            "tcx",
            ("BEYLA_NETWORK_CIDRS", "198.18.0.0/15,198.18.9.2/32"), ("BEYLA_NETWORK_PROTOCOLS", "UDP"),
            ("BEYLA_NETWORK_AGENT_IP", "192.0.2.7"), ("BEYLA_NETWORK_LISTEN_INTERFACES", "poll"),
            ("BEYLA_NETWORK_LISTEN_POLL_PERIOD", "100ms"), ("BEYLA_NETWORK_INTERFACES", "/^veth|^late$/"),
            ("BEYLA_LOG_LEVEL", "debug")));
        await FlowLab.Ip("-n", lab.Host, "link", "add", "late", "type", "veth", "peer", "name", "late", "netns", lab.Peer);
        Assert.True(await Wait.UntilAsync(() => agent.Errors.Contains("interface late is observed", StringComparison.Ordinal), Wait.Hang),
            agent.Errors);

        await Traffic.Datagrams(lab, FlowLab.PeerAddress, 7501, 10, 10);
        await Traffic.Exchange(lab, FlowLab.PeerAddress, 7502, 2, 10);
        await agent.StopAsync();

        Assert.All(agent.Flows, flow => Assert.Equal(Transport.Udp, flow.Transport));
        Flow flow = Assert.Single(agent.Flows, flow => flow.DestinationPort == 7501);
        Assert.Equal(
            ("198.18.0.0/15", "198.18.9.2/32", "192.0.2.7"), (flow.SourceNetwork, flow.DestinationNetwork, flow.AgentAddress.ToString()));
        Assert.True(agent.Counters["interfaces packets"].Filtered > 0);
    }

    [LiveFact("ip", "ethtool")]
    public async Task The_agents_address_is_that_of_the_host_as_it_is_now()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await FlowLab.Ip("-n", lab.Host, "address", "flush", "dev", "veth0");
        await using AgentProcess agent = await AgentProcess.StartAsync(
            lab.Agent("socket_filter", ("BEYLA_NETWORK_AGENT_IP_TYPE", "ipv4"), ("BEYLA_NETWORK_AGENT_IP_IFACE", "name:veth0")));
        await SendAsync(7510);
        await Task.Delay(600);
        // A lease comes long after the agent.
        await FlowLab.Ip("-n", lab.Host, "address", "add", "198.18.9.77/24", "dev", "veth0");
        await SendAsync(7511);
        await agent.StopAsync();

        Assert.Equal(
            [(7510, "127.0.0.1"), (7511, "198.18.9.77")],
            agent.Flows.Where(flow => flow.DestinationPort is 7510 or 7511)
                .Select(flow => (flow.DestinationPort, flow.AgentAddress.ToString())).Order());

        Task SendAsync(int port) => FlowLab.RunInside(lab.Peer,
            () => RawFrames.Send("veth0", Packets.IPv4(FlowLab.PeerAddress, FlowLab.HostAddress, 17, Packets.Udp(1, port, 10)), 1));
    }

    [LiveFact("nginx")]
    public async Task Requests_and_flows_come_from_one_agent()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port)
            .With("BEYLA_NETWORK_METRICS", "1").With("BEYLA_NETWORK_INTERFACES", "lo").With("BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT", "300ms"));

        await HttpRequests.SendAsync(server.Port, 50);
        await agent.WaitForServerSpansAsync(50);
        await agent.StopAsync();

        Assert.Contains(agent.Flows, flow => flow.LocalPort == server.Port && flow.ProcessName == "nginx");
        Assert.Contains(agent.Flows, flow => flow.RemotePort == server.Port);
    }
}
