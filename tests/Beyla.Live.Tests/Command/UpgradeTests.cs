using Beyla.Live.Tests.Capabilities;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Flows;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Command;

/// <summary>
/// The agent's own file is replaced while it runs, as a package does it, and the next agent starts before the first one stops: each sees
/// all that happens while it runs.
/// </summary>
public sealed class UpgradeTests
{
    [LiveFact("nginx", "setcap", "setpriv")]
    public async Task A_replaced_agent_goes_on_and_the_next_one_says_what_its_file_lacks()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync("cap_bpf,cap_perfmon");
        await using TestServer server = await Nginx.StartAsync();
        AgentSettings settings = user.Run(AgentSettings.ForPorts(server.Port));
        await using AgentProcess first = await AgentProcess.StartAsync(settings);
        await HttpRequests.SendAsync(server.Port, 100);
        await first.WaitForServerSpansAsync(100);

        ReplacedFile.Put(user.Binary);
        await HttpRequests.SendAsync(server.Port, 100);
        await first.WaitForServerSpansAsync(200);

        // rename(2) puts another file there: what setcap(8) gave to the old one is not with it.
        await using (AgentProcess without = AgentProcess.Launch(settings))
        {
            Assert.NotEqual(0, await without.WaitForExitAsync(Wait.Hang));
            Assert.Contains(without.ErrorLines, line => line.Contains("msg=\"CAP_BPF is missing\"", StringComparison.Ordinal)
                && line.Contains("fix=\"sudo setcap ", StringComparison.Ordinal)
                && line.Contains($"cap_bpf=p {user.Binary}\"", StringComparison.Ordinal));
        }

        await Tool.RunAsync("setcap", "cap_bpf,cap_perfmon=p", user.Binary);
        await using AgentProcess second = await AgentProcess.StartAsync(settings);
        await HttpRequests.SendAsync(server.Port, 100);
        await first.WaitForServerSpansAsync(300);
        await second.WaitForServerSpansAsync(100);
        await first.StopAsync();
        await HttpRequests.SendAsync(server.Port, 100);
        await second.WaitForServerSpansAsync(200);
        await second.StopAsync();
    }

    [LiveTheory("ip", "tc", "ethtool"), InlineData("socket_filter"), InlineData("tc"), InlineData("tcx")]
    public async Task Flows_go_on_when_the_agent_before_stops(string source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using TempDirectory files = new();
        string binary = Path.Combine(files.Path, "beyla");
        File.Copy(Repository.Agent, binary);
        await using AgentProcess first = await AgentProcess.StartAsync(lab.Agent(source) with { Binary = binary });
        await Traffic.Datagrams(lab, FlowLab.PeerAddress, 7301, 10, 100);
        ReplacedFile.Put(binary);
        await using AgentProcess second = await AgentProcess.StartAsync(lab.Agent(source) with { Binary = binary });
        await Traffic.Datagrams(lab, FlowLab.PeerAddress, 7302, 20, 100);
        await first.StopAsync();
        await Traffic.Datagrams(lab, FlowLab.PeerAddress, 7303, 30, 100);
        await second.StopAsync();

        Assert.Equal([(7301, 10L), (7302, 20L)], Sent(first));
        Assert.Equal([(7302, 20L), (7303, 30L)], Sent(second));
        Assert.Equal(0, await lab.FiltersAsync());
    }

    private static IEnumerable<(int Port, long Packets)> Sent(AgentProcess agent) => agent.Flows
        .Where(static flow => flow.DestinationPort is > 7300 and < 7310).GroupBy(static flow => flow.DestinationPort)
        .Select(static group => (group.Key, group.Sum(static flow => flow.Packets))).Order();
}
