using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>Interfaces that come and go, and agents that do.</summary>
public sealed class InterfaceLifecycleTests
{
    [LiveTheory("ip", "tc", "ethtool"), InlineData("socket_filter", "watch"), InlineData("tc", "watch"), InlineData("tcx", "watch"),
        InlineData("tcx", "poll")]
    public async Task An_interface_is_added_renamed_and_removed(string source, string listen)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            lab.Agent(source, ("BEYLA_NETWORK_INTERFACES", "/^veth/,late"), ("BEYLA_NETWORK_DEDUPER", "none"), ("BEYLA_LOG_LEVEL", "debug"),
                ("BEYLA_NETWORK_LISTEN_INTERFACES", listen), ("BEYLA_NETWORK_LISTEN_POLL_PERIOD", "200ms")));

        await FlowLab.Ip(
            "-n", lab.Host, "link", "add", "dev", "veth7", "index", "77", "type", "veth", "peer", "name", "veth7", "netns", lab.Peer);
        await UpAsync(lab, "veth7");
        await ObservedAsync(agent, "veth7", 1);
        await SendAsync(lab, "veth7", 71, 30);
        await Task.Delay(600);

        // Other name, still wanted; then one that is not; then wanted again.
        await FlowLab.Ip("-n", lab.Host, "link", "set", "veth7", "name", "late");
        await Task.Delay(300);
        await SendAsync(lab, "veth7", 72, 40);
        await Task.Delay(600);
        await FlowLab.Ip("-n", lab.Host, "link", "set", "late", "name", "other");
        await Task.Delay(300);
        await SendAsync(lab, "veth7", 73, 50);
        await FlowLab.Ip("-n", lab.Host, "link", "set", "other", "name", "veth8");
        await ObservedAsync(agent, "veth8", 1);
        await SendAsync(lab, "veth7", 74, 60);
        await Task.Delay(600);

        // Gone, and another one of the old name and number.
        await FlowLab.Ip("-n", lab.Host, "link", "delete", "veth8");
        await FlowLab.Ip(
            "-n", lab.Host, "link", "add", "dev", "veth7", "index", "77", "type", "veth", "peer", "name", "veth7", "netns", lab.Peer);
        await UpAsync(lab, "veth7");
        await ObservedAsync(agent, "veth7", 2);
        await SendAsync(lab, "veth7", 75, 70);
        await agent.StopAsync();

        Assert.Equal(
            [("veth7", 71, 30L), ("late", 72, 40L), ("veth8", 74, 60L), ("veth7", 75, 70L)],
            agent.Flows.Where(flow => flow.DestinationPort is > 70 and < 80)
                .GroupBy(flow => (flow.Interface, flow.DestinationPort)).OrderBy(group => group.Key.DestinationPort)
                .Select(group => (group.Key.Interface, group.Key.DestinationPort, group.Sum(flow => flow.Packets))));
    }

    [LiveFact("ip", "tc", "ethtool", "bpftool")]
    public async Task A_killed_agent_leaves_nothing_that_the_next_one_does_not_remove()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        // Filters of somebody else stay where they are, also one of the same priority.
        await lab.RunAsync(lab.Host, "tc", "qdisc", "add", "dev", "veth0", "clsact");
        foreach (string priority in new[] { "1", "5" })
        {
            await lab.RunAsync(lab.Host, "tc", "filter", "add", "dev", "veth0", "ingress", "prio",
                priority, "protocol", "all", "bpf", "bytecode", "1,6 0 0 0,", "flowid", "1:1");
        }

        await using (AgentProcess killed = await AgentProcess.StartAsync(lab.Agent("tc")))
        {
            Assert.Equal(2, await lab.FiltersAsync());
            killed.Signal(ChildProcess.SIGKILL);
            await killed.WaitForExitAsync(Wait.Hang);
        }

        Assert.Equal(2, await lab.FiltersAsync());
        await using (AgentProcess agent = await AgentProcess.StartAsync(lab.Agent("tc")))
        {
            Assert.Equal(2, await lab.FiltersAsync());
            // Beside it a second one: neither takes the other for a dead one.
            await using (AgentProcess second = await AgentProcess.StartAsync(lab.Agent("tc")))
            {
                Assert.Equal(4, await lab.FiltersAsync());
                await second.StopAsync();
            }

            Assert.Equal(2, await lab.FiltersAsync());
            await Traffic.Datagrams(lab, FlowLab.PeerAddress, 7201, 25, 100);
            await agent.StopAsync();
            Assert.Equal(25, agent.Flows.Where(flow => flow.DestinationPort == 7201).Sum(flow => flow.Packets));
        }

        Assert.Equal(0, await lab.FiltersAsync());
        string left = await lab.RunAsync(lab.Host, "tc", "filter", "show", "dev", "veth0", "ingress");
        Assert.Equal(2, left.Split('\n').Count(line => line.Contains("bytecode", StringComparison.Ordinal)));
    }

    [LiveTheory("ip", "tc", "ethtool"), InlineData("tc"), InlineData("tcx")]
    public async Task A_discipline_that_the_agent_made_goes_with_it_also_after_a_kill(string next)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using (AgentProcess killed = await AgentProcess.StartAsync(lab.Agent("tc")))
        {
            killed.Signal(ChildProcess.SIGKILL);
            await killed.WaitForExitAsync(Wait.Hang);
        }

        Assert.Contains("clsact", await lab.RunAsync(lab.Host, "tc", "qdisc", "show", "dev", "veth0"), StringComparison.Ordinal);
        await using (AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(next)))
        {
            await agent.StopAsync();
        }

        Assert.DoesNotContain("clsact", await lab.RunAsync(lab.Host, "tc", "qdisc", "show", "dev", "veth0"), StringComparison.Ordinal);
    }

    [LiveFact("ip", "tc", "ethtool", "unshare")]
    public async Task Agents_in_different_pid_namespaces_leave_each_other_alone()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess first = await AgentProcess.StartAsync(lab.Agent("tc"));
        AgentSettings settings = lab.Agent("tc");
        // It sees none of the processes outside; from outside it has other pids than it writes down.
        await using AgentProcess inside = await AgentProcess.StartAsync(
            settings with { Prefix = [.. settings.Prefix, Tool.Find("unshare"), "--pid", "--fork", "--kill-child", "--mount-proc"] });
        Assert.Equal(4, await lab.FiltersAsync());
        await using AgentProcess last = await AgentProcess.StartAsync(lab.Agent("tc"));
        Assert.Equal(6, await lab.FiltersAsync());

        await Traffic.Datagrams(lab, FlowLab.PeerAddress, 7202, 25, 100);
        await Wait.UntilAsync(() => inside.Flows.Any(flow => flow.DestinationPort == 7202), TimeSpan.FromSeconds(10));
        foreach (AgentProcess agent in new[] { first, last })
        {
            await agent.StopAsync();
        }

        foreach (AgentProcess agent in new[] { first, inside, last })
        {
            Assert.Equal(25, agent.Flows.Where(flow => flow.DestinationPort == 7202).Sum(flow => flow.Packets));
        }

        Assert.Equal(2, await lab.FiltersAsync());
    }

    [LiveTheory("ip", "tc", "ethtool"), InlineData("watch"), InlineData("poll")]
    public async Task What_another_program_takes_away_is_attached_again(string listen)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            lab.Agent("tc", ("BEYLA_NETWORK_LISTEN_INTERFACES", listen),
                ("BEYLA_NETWORK_LISTEN_POLL_PERIOD", "200ms"), ("BEYLA_LOG_LEVEL", "debug")));

        // All of it, then one of two.
        await lab.RunAsync(lab.Host, "tc", "qdisc", "delete", "dev", "veth0", "clsact");
        await ObservedAsync(agent, "veth0", 2);
        Assert.Equal(2, await lab.FiltersAsync());
        await lab.RunAsync(lab.Host, "tc", "filter", "delete", "dev", "veth0", "egress");
        await ObservedAsync(agent, "veth0", 3);
        Assert.Equal(2, await lab.FiltersAsync());
        await Traffic.Datagrams(lab, FlowLab.PeerAddress, 7203, 25, 100);
        await agent.StopAsync();

        Assert.Equal(25, agent.Flows.Where(flow => flow.DestinationPort == 7203).Sum(flow => flow.Packets));
        Assert.Single(agent.ErrorLines, line => line.Contains("level=WARN", StringComparison.Ordinal)
            && line.Contains("the programs on interface veth0 were removed by another program", StringComparison.Ordinal));
        Assert.DoesNotContain("clsact", await lab.RunAsync(lab.Host, "tc", "qdisc", "show", "dev", "veth0"), StringComparison.Ordinal);
    }

    [LiveFact("ip", "tc", "ethtool")]
    public async Task A_classifier_that_came_in_the_place_of_ones_own_stays()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        // It does not look during this test.
        await using AgentProcess agent = await AgentProcess.StartAsync(
            lab.Agent("tc", ("BEYLA_NETWORK_LISTEN_INTERFACES", "poll"), ("BEYLA_NETWORK_LISTEN_POLL_PERIOD", "1h")));
        await lab.RunAsync(lab.Host, "tc", "qdisc", "delete", "dev", "veth0", "clsact");
        await lab.RunAsync(lab.Host, "tc", "qdisc", "add", "dev", "veth0", "clsact");
        await lab.RunAsync(lab.Host, "tc", "filter", "add", "dev", "veth0", "ingress", "prio",
            "1", "handle", "1", "protocol", "all", "bpf", "bytecode", "1,6 0 0 0,", "flowid", "1:1");
        await agent.StopAsync();

        Assert.Contains(
            "bytecode", await lab.RunAsync(lab.Host, "tc", "filter", "show", "dev", "veth0", "ingress"), StringComparison.Ordinal);
    }

    [LiveFact("ip", "tc", "ethtool", "setpriv", "setcap")]
    public async Task One_that_may_not_remove_what_a_killed_agent_left_says_how()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using (AgentProcess killed = await AgentProcess.StartAsync(lab.Agent("tc")))
        {
            killed.Signal(ChildProcess.SIGKILL);
            await killed.WaitForExitAsync(TimeSpan.FromSeconds(5));
        }

        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent("socket_filter"));
        await agent.StopAsync();

        string[] commands = [.. agent.ErrorLines.Where(line => line.Contains("level=WARN", StringComparison.Ordinal)
            && line.Contains("a killed agent left classifier", StringComparison.Ordinal))
            .Select(line => line[(line.IndexOf("sudo tc ", StringComparison.Ordinal) + 8)..].TrimEnd('"'))];
        Assert.Equal(2, commands.Length);
        foreach (string command in commands)
        {
            await lab.RunAsync(lab.Host, "tc", command.Split(' '));
        }

        Assert.Equal(0, await lab.FiltersAsync());
    }

    [LiveTheory("ip", "tc", "ethtool"), InlineData("socket_filter", 0), InlineData("auto", 202 - 32)]
    public async Task Two_hundred_interfaces_hold_up_neither_start_nor_end(string source, int onClsact)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        using (TempDirectory directory = new())
        {
            string batch = Path.Combine(directory.Path, "links");
            await File.WriteAllLinesAsync(batch, Enumerable.Range(0, 100).Select(i => $"link add a{i} type veth peer name b{i}"));
            await FlowLab.Ip("-n", lab.Host, "-batch", batch);
        }

        (string, string)[] settings = source == "auto" ? [("BEYLA_BPF_TC_BACKEND", "auto")] : [];
        await using AgentProcess agent = await AgentProcess.StartAsync(
            lab.Agent(source, [.. settings, ("BEYLA_NETWORK_EXCLUDE_INTERFACES", "")]));
        Assert.Contains(agent.ErrorLines, line => line.Contains("interfaces=202", StringComparison.Ordinal));
        Assert.Equal(onClsact, await DisciplinesAsync());

        agent.Signal(ChildProcess.SIGTERM);
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Equal(0, await DisciplinesAsync());

        async Task<int> DisciplinesAsync() =>
            (await lab.RunAsync(lab.Host, "tc", "qdisc", "show")).Split('\n')
                .Count(line => line.Contains("clsact", StringComparison.Ordinal));
    }

    private static async Task UpAsync(FlowLab lab, string name)
    {
        await FlowLab.Ip("-n", lab.Host, "link", "set", name, "up");
        await FlowLab.Ip("-n", lab.Peer, "link", "set", name, "up");
    }

    /// <summary>Incoming packets of a flow of their own, which nothing answers.</summary>
    private static Task SendAsync(FlowLab lab, string name, int port, int count) =>
        FlowLab.RunInside(lab.Peer, () => RawFrames.Send(name, Packets.IPv4("10.7.7.2", "10.7.7.1", 17, Packets.Udp(5, port, 10)), count));

    private static async Task ObservedAsync(AgentProcess agent, string name, int times) => Assert.True(
        await Wait.UntilAsync(
            () => agent.ErrorLines.Count(line => line.Contains($"interface {name} is observed", StringComparison.Ordinal)) >= times,
            Wait.Hang),
        agent.Errors);
}
