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
    public async Task Flows_are_exact_with_the_listed_set_and_without_what_is_only_listed(
        string scenario, string source, string removed, string? said)
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
        // A minimal set is no mistake; what it does without is said and not warned of.
        Assert.DoesNotContain("system capabilities", agent.Errors, StringComparison.Ordinal);
        Assert.Equal(said is not null, agent.Errors.Contains(
            $"level=INFO msg=\"{said} is missing\" consequence=\"flows have no process id and name\"", StringComparison.Ordinal));
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

        int status = await agent.WaitForExitAsync(Wait.Hang);
        Assert.True(status == 1, $"exit code {status}:\n{agent.Errors}");
        Warnings.AssertNamed(agent.Errors, removed.ToUpperInvariant());
        Assert.Contains($"{removed.ToUpperInvariant()} is missing", agent.Errors, StringComparison.Ordinal);
        Assert.Contains(failure, agent.Errors, StringComparison.Ordinal);
    }

    [LiveTheory("ip", "ethtool", "setcap", "setpriv")]
    [InlineData("socket_filter", "", "CAP_NET_RAW, CAP_BPF", "load eBPF object flows: EPERM")]
    [InlineData("socket_filter", "cap_sys_admin", "CAP_NET_RAW", "open a packet socket: EPERM")]
    [InlineData("tc", "", "CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF", "load eBPF object flows: EPERM")]
    [InlineData("tc", "cap_sys_admin", "CAP_NET_ADMIN", "add clsact to interface 2: EPERM")]
    public async Task Neither_nothing_nor_sys_admin_alone_is_enough(string source, string capabilities, string missing, string failure)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(capabilities);
        await using AgentProcess agent = AgentProcess.Launch(Inside(lab, user, source));

        int status = await agent.WaitForExitAsync(Wait.Hang);
        Assert.True(status == 1, $"exit code {status}:\n{agent.Errors}");
        Warnings.AssertNamed(agent.Errors, missing);
        Assert.Contains(failure, agent.Errors, StringComparison.Ordinal);
    }

    /// <summary>
    /// The kernel lets CAP_SYS_ADMIN load programs that see packets, and asks nothing more for tcx; only traffic control by netlink wants
    /// CAP_NET_ADMIN.
    /// </summary>
    [LiveFact("ip", "ethtool", "setcap", "setpriv")]
    public async Task With_sys_admin_alone_tcx_attaches_all_the_same()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using OrdinaryUser user = await OrdinaryUser.CreateAsync("cap_sys_admin");
        await using AgentProcess agent = await AgentProcess.StartAsync(Inside(lab, user, "tcx"));

        await Traffic.Exchange(lab, FlowLab.PeerAddress, Port, Connections, bytes: 1000);
        await agent.StopAsync();

        Assert.Equal(Connections, agent.Flows.Where(flow => flow.RemotePort == Port).Select(flow => flow.LocalPort).Distinct().Count());
        Warnings.AssertNamed(agent.Errors, "CAP_NET_ADMIN");
    }

    [LiveFact("ip", "ethtool", "setcap", "setpriv")]
    public async Task Flows_go_on_where_applications_cannot_be_traced()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using OrdinaryUser user = await OrdinaryUser.CreateAsync("cap_bpf,cap_net_raw");
        await using AgentProcess agent = await AgentProcess.StartAsync(Inside(lab, user, "socket_filter", ("BEYLA_OPEN_PORT", $"{Port}")));

        await Traffic.Exchange(lab, FlowLab.PeerAddress, Port, Connections, bytes: 1000);
        agent.Signal(ChildProcess.SIGINT);
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));

        Assert.Equal(Connections, agent.Flows.Where(flow => flow.RemotePort == Port).Select(flow => flow.LocalPort).Distinct().Count());
        Warnings.AssertNamed(agent.Errors, "CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_PERFMON, CAP_CHECKPOINT_RESTORE");
        Assert.Contains("msg=\"Application observability did not start\" error=\"load eBPF object watcher: EPERM",
            agent.Errors, StringComparison.Ordinal);
    }

    private static AgentSettings Inside(FlowLab lab, OrdinaryUser user, string source, params (string Name, string Value)[] variables)
    {
        AgentSettings asRoot = lab.Agent(source, variables), settings = user.Run(asRoot);
        return settings with { Prefix = [.. asRoot.Prefix, Tool.Find(settings.Prefix[0]), .. settings.Prefix.Skip(1)] };
    }
}
