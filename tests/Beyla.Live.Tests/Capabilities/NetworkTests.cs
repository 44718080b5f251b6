using Beyla.Live.Tests.Flows;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Capabilities;

/// <summary>Network observability with every set of capabilities that matters: exact flows, or exactly the predicted failure.</summary>
public sealed class NetworkTests
{
    private const int Port = 7310, Connections = 4;

    [LiveTheory("ip", "ethtool", "setcap", "setpriv")]
    [InlineData("network", "socket_filter", "", null)]
    [InlineData("network-tc", "tc", "", null)]
    [InlineData("network-tc", "tcx", "", null)]
    [InlineData("network-tc", "tc", "cap_perfmon", "CAP_PERFMON")]
    [InlineData("network-tc", "tcx", "cap_perfmon", "CAP_PERFMON")]
    public async Task Flows_are_exact_with_the_listed_set_and_without_what_is_only_listed(string scenario, string source, string removed, string? warning)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Without(ScenarioCase.Find(scenario).Listed, removed));
        await using AgentProcess agent = await AgentProcess.StartAsync(Inside(lab, user, source));

        await Traffic.Exchange(lab, FlowLab.PeerAddress, Port, Connections, bytes: 1000);
        await Held.AssertNothingIsEffective(agent.Pid);
        await agent.StopAsync();

        Flow[] flows = [.. agent.Flows.Where(flow => flow.RemotePort == Port)];
        Assert.Equal(Connections, flows.Select(flow => flow.LocalPort).Distinct().Count());
        // Only CAP_PERFMON tells whose they are.
        bool named = scenario == "network-tc" && removed.Length == 0;
        Assert.All(flows, flow => Assert.Equal(named ? Environment.ProcessId : 0, flow.OwningProcess));
        if (warning is null)
            Assert.DoesNotContain("system capabilities", agent.Errors, StringComparison.Ordinal);
        else
            Warnings.AssertNamed(agent.Errors, warning);
    }

    [LiveTheory("ip", "ethtool", "setcap", "setpriv")]
    [InlineData("network", "socket_filter", "cap_bpf", "load eBPF object flows: EPERM")]
    [InlineData("network", "socket_filter", "cap_net_raw", "open a packet socket: EPERM")]
    [InlineData("network-tc", "tc", "cap_bpf", "load eBPF object flows: EPERM")]
    [InlineData("network-tc", "tcx", "cap_bpf", "load eBPF object flows: EPERM")]
    [InlineData("network-tc", "tc", "cap_net_admin", "load eBPF object flows: EPERM")]
    [InlineData("network-tc", "tcx", "cap_net_admin", "load eBPF object flows: EPERM")]
    public async Task Without_a_needed_one_the_predicted_call_fails(string scenario, string source, string removed, string failure)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Without(ScenarioCase.Find(scenario).Listed, removed));
        await using AgentProcess agent = AgentProcess.Launch(Inside(lab, user, source));

        int status = await agent.WaitForExitAsync(TimeSpan.FromSeconds(20));
        Assert.True(status == 1, $"exit code {status}:\n{agent.Errors}");
        Warnings.AssertNamed(agent.Errors, removed.ToUpperInvariant());
        Assert.Contains($"{removed.ToUpperInvariant()} is missing", agent.Errors, StringComparison.Ordinal);
        Assert.Contains(failure, agent.Errors, StringComparison.Ordinal);
    }

    private static AgentSettings Inside(FlowLab lab, OrdinaryUser user, string source)
    {
        AgentSettings asRoot = lab.Agent(source), settings = user.Run(asRoot);
        return settings with { Prefix = [.. asRoot.Prefix, Tool.Find(settings.Prefix[0]), .. settings.Prefix.Skip(1)] };
    }
}
