using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>The two commands of the page as an ordinary user with exactly those file capabilities, and with each one removed.</summary>
public sealed class FlowPrivilegeTests
{
    [LiveTheory("ip", "ethtool", "setcap", "setpriv")]
    [InlineData("cap_bpf,cap_net_raw+ep", "socket_filter")]
    [InlineData("cap_bpf,cap_net_admin,cap_perfmon+ep", "auto")]
    public async Task The_commands_of_the_page_work(string capabilities, string source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using CapableAgent binary = await CapableAgent.CreateAsync(capabilities);
        AgentSettings settings = binary.Run(new AgentSettings { ReadsAsText = true }
            .With("BEYLA_NETWORK_METRICS", "1").With("BEYLA_NETWORK_PRINT_FLOWS", "1"));
        if (source != "socket_filter")
        {
            settings = settings.With("BEYLA_NETWORK_SOURCE", "tc");
        }

        await using AgentProcess agent = await AgentProcess.StartAsync(Inside(lab, settings));

        await Traffic.Exchange(lab, FlowLab.PeerAddress, 7301, connections: 3, bytes: 1000);
        foreach (string task in Directory.EnumerateDirectories($"/proc/{agent.Pid}/task"))
        {
            Assert.Contains(
                "CapEff:\t0000000000000000\n", await File.ReadAllTextAsync(Path.Combine(task, "status")), StringComparison.Ordinal);
        }

        agent.Signal(ChildProcess.SIGINT);
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));

        string[] warnings = [.. agent.ErrorLines.Where(
            line => line.Contains("level=WARN", StringComparison.Ordinal) || line.Contains("level=ERROR", StringComparison.Ordinal))];
        if (capabilities.Contains("perfmon", StringComparison.Ordinal))
        {
            Assert.Empty(warnings);
        }
        else
        {
            AssertNamesNoProcess(Assert.Single(warnings), "cap_net_raw,cap_perfmon,cap_bpf=p");
        }

        string[] lines = [.. agent.Output.Split('\n').Where(line => line.Contains(" dst.port=7301 ", StringComparison.Ordinal))];
        Assert.Equal(3, lines.Select(line => Field(line, "src.port")).Distinct().Count());
        const string Start = "network_flow: transport=6 beyla.ip=198.18.9.1 iface=veth0 iface_direction=1 "
            + "src.address=198.18.9.1 dst.address=198.18.9.2 src.name=198.18.9.1 dst.name=198.18.9.2 src.port=";
        Assert.All(lines, line => Assert.StartsWith(Start, line, StringComparison.Ordinal));
        Assert.All(lines, line => Assert.Equal("request", Field(line, "direction")));
        // With CAP_PERFMON the process is known: this one.
        Assert.All(lines, line =>
            Assert.Equal(capabilities.Contains("perfmon", StringComparison.Ordinal) ? $"{Environment.ProcessId}" : "", Field(line, "pid")));
    }

    [LiveTheory("ip", "ethtool", "setcap", "setpriv")]
    [InlineData("cap_net_raw+ep", "socket_filter", "EPERM")]
    [InlineData("cap_bpf+ep", "socket_filter", "CAP_NET_RAW")]
    [InlineData("cap_net_admin,cap_perfmon+ep", "tc", "EPERM")]
    [InlineData("cap_bpf,cap_perfmon+ep", "tc", "EPERM")]
    public async Task Without_one_of_them_it_says_what_is_missing(string capabilities, string source, string expected)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using CapableAgent binary = await CapableAgent.CreateAsync(capabilities);
        AgentSettings settings = binary.Run(new AgentSettings { ReadsAsText = true }
            .With("BEYLA_NETWORK_METRICS", "1").With("BEYLA_NETWORK_PRINT_FLOWS", "1").With("BEYLA_NETWORK_SOURCE", source));
        await using AgentProcess agent = AgentProcess.Launch(Inside(lab, settings));

        Assert.Equal(1, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains(expected, agent.Errors, StringComparison.Ordinal);
    }

    [LiveTheory("ip", "ethtool", "setcap", "setpriv")]
    [InlineData("cap_bpf,cap_net_raw+ep", "socket_filter", "cap_net_raw,cap_perfmon,cap_bpf=p")]
    [InlineData("cap_bpf,cap_net_admin+ep", "tc", "cap_net_admin,cap_perfmon,cap_bpf=p")]
    public async Task Who_asks_for_processes_is_refused_without_perfmon(string capabilities, string source, string fix)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using CapableAgent binary = await CapableAgent.CreateAsync(capabilities);
        await using AgentProcess agent = AgentProcess.Launch(
            Inside(lab, binary.Run(lab.Agent(source, ("BEYLA_NETWORK_REQUIRE_PROCESS", "1")) with { ReadsAsText = true })));

        Assert.Equal(3, await agent.WaitForExitAsync(TimeSpan.FromSeconds(10)));
        string error = Assert.Single(agent.ErrorLines, line => line.Contains("level=ERROR", StringComparison.Ordinal));
        Assert.Contains("error=\"the following capabilities are required: CAP_PERFMON\"", error, StringComparison.Ordinal);
        Assert.Contains("network.require_process", error, StringComparison.Ordinal);
        Assert.Contains(fix, error, StringComparison.Ordinal);
        Assert.Equal("", agent.Output);
    }

    [LiveFact("ip", "ethtool", "setcap", "setpriv")]
    public async Task Who_asks_for_processes_gets_them_with_perfmon()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using CapableAgent binary = await CapableAgent.CreateAsync("cap_bpf,cap_net_raw,cap_perfmon+ep");
        await using AgentProcess agent = await AgentProcess.StartAsync(
            Inside(lab, binary.Run(lab.Agent("socket_filter", ("BEYLA_NETWORK_REQUIRE_PROCESS", "1")))));

        await Traffic.Exchange(lab, FlowLab.PeerAddress, 7303, connections: 3, bytes: 1000);
        await agent.StopAsync();

        Assert.All(agent.Flows.Where(flow => flow.RemotePort == 7303), flow => Assert.Equal(Environment.ProcessId, flow.OwningProcess));
        Assert.DoesNotContain(agent.ErrorLines, line => line.Contains("level=WARN", StringComparison.Ordinal));
    }

    [LiveFact("ip", "ethtool", "setcap", "setpriv")]
    public async Task Traffic_control_without_perfmon_has_flows_without_processes()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using CapableAgent binary = await CapableAgent.CreateAsync("cap_bpf,cap_net_admin+ep");
        await using AgentProcess agent = await AgentProcess.StartAsync(Inside(lab, binary.Run(lab.Agent("tcx"))));

        await Traffic.Exchange(lab, FlowLab.PeerAddress, 7302, connections: 3, bytes: 1000);
        await agent.StopAsync();

        Flow[] flows = [.. agent.Flows.Where(flow => flow.RemotePort == 7302)];
        Assert.Equal(3, flows.Select(flow => flow.LocalPort).Distinct().Count());
        Assert.All(flows, flow => Assert.Equal((0, ""), (flow.OwningProcess, flow.ProcessName)));
    }

    [LiveFact("ip", "ethtool")]
    public async Task Flow_mode_alone_loads_only_flow_programs()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent("socket_filter"));
        BpfFootprint footprint = BpfFootprint.Of(agent.Pid);
        Assert.NotEmpty(footprint.Programs);
        string programs = await Tool.RunAsync("bpftool", "prog", "list");
        string[] names = [.. programs.Split('\n')
            .Where(line => footprint.Programs.Any(id => line.StartsWith($"{id}:", StringComparison.Ordinal)))
            .Select(line => Field(line.Replace("name ", "name=", StringComparison.Ordinal), "name"))];
        Assert.Equal(["flow_socket", "on_file", "on_send", "on_state"], names.Order());
        await agent.StopAsync();
        Assert.True((await footprint.LeftAsync()).IsEmpty);
    }

    private static void AssertNamesNoProcess(string line, string fix)
    {
        Assert.Contains(
            "level=WARN msg=\"Flows name no process and no service\" error=\"CAP_PERFMON is missing\"", line, StringComparison.Ordinal);
        Assert.Contains(fix, line, StringComparison.Ordinal);
    }

    private static AgentSettings Inside(FlowLab lab, AgentSettings settings) => settings with
    {
        Prefix = [Tool.Find("ip"), "netns", "exec", lab.Host,
            .. settings.Prefix.Select((word, index) => index == 0 ? Tool.Find(word) : word)],
    };

    private static string Field(string line, string name) =>
        line.Split(' ').FirstOrDefault(field => field.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..] ?? "";
}
