using System.Diagnostics;
using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Flows;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Keeper;

/// <summary>The end of either half is the end of both, and nothing stays in the kernel.</summary>
public sealed class EndTests
{
    /// <summary>A signal may go to one of the two or, as from a terminal, to both.</summary>
    [LiveTheory("nginx")]
    [InlineData(ChildProcess.SIGTERM, true, false)]
    [InlineData(ChildProcess.SIGINT, true, false)]
    [InlineData(ChildProcess.SIGTERM, false, true)]
    [InlineData(ChildProcess.SIGINT, false, true)]
    [InlineData(ChildProcess.SIGTERM, true, true)]
    [InlineData(ChildProcess.SIGINT, true, true)]
    public async Task A_signal_to_either_ends_both_in_order(int signal, bool keeper, bool worker)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port));
        await HttpRequests.SendAsync(server.Port, 100);
        await agent.WaitForServerSpansAsync(100);
        BpfFootprint held = BpfFootprint.Of(agent.Pid);
        int[] pids = [.. keeper ? [agent.Pid] : Array.Empty<int>(), .. worker ? [agent.WorkerPid] : Array.Empty<int>()];

        long start = Stopwatch.GetTimestamp();
        await Tool.RunAsync("kill", [$"-{signal}", .. pids.Select(Text)]);
        agent.AssertEndedWell(await agent.WaitForExitAsync(Wait.Hang));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 2);
        Assert.Equal(100, agent.Counters["printer"].Emitted);
        Assert.Equal(100, agent.Spans.Count);
        Assert.True((await held.LeftAsync()).IsEmpty);
    }

    [LiveTheory("nginx"), InlineData(true), InlineData(false)]
    public async Task A_report_shows_what_each_holds(bool toKeeper)
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(FreePort.Next()));
        await Tool.RunAsync("kill", "-USR1", Text(toKeeper ? agent.Pid : agent.WorkerPid));
        Assert.True(await Wait.UntilAsync(
            () => agent.ErrorLines.Any(line => line.StartsWith("worker: ", StringComparison.Ordinal)), Wait.Hang), agent.Errors);
        string keeper = Assert.Single(agent.ErrorLines, line => line.StartsWith("capabilities: ", StringComparison.Ordinal));
        Assert.Contains("permitted=CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF ", keeper, StringComparison.Ordinal);
        string worker = Assert.Single(agent.ErrorLines, line => line.StartsWith("worker: ", StringComparison.Ordinal));
        Assert.Contains("effective=none permitted=none inheritable=none", worker, StringComparison.Ordinal);
        Assert.Contains("no_new_privs=yes dumpable=no", worker, StringComparison.Ordinal);
        await agent.StopAsync();
    }

    [LiveFact("nginx")]
    public async Task A_worker_that_is_killed_ends_the_keeper_which_says_so()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port));
        await HttpRequests.SendAsync(server.Port, 100);
        BpfFootprint held = BpfFootprint.Of(agent.Pid);
        Assert.NotEmpty(held.Programs);

        await Tool.RunAsync("kill", "-KILL", Text(agent.WorkerPid));
        Assert.Equal(1, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Single(agent.ErrorLines, line => line.Contains("The worker ended before it was asked to", StringComparison.Ordinal)
            && line.Contains("signal=9", StringComparison.Ordinal));
        Assert.True((await held.LeftAsync()).IsEmpty);
    }

    /// <summary>Classifiers stay in the kernel without a process that holds them: the keeper has to take them off.</summary>
    [LiveTheory("ip", "tc", "ethtool"), InlineData("tc"), InlineData("tcx"), InlineData("socket_filter")]
    public async Task A_worker_that_is_killed_leaves_no_flow_program(string source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source));
        BpfFootprint held = BpfFootprint.Of(agent.Pid);
        Assert.Equal(source == "tc" ? 2 : 0, await lab.FiltersAsync());

        await Tool.RunAsync("kill", "-KILL", Text(agent.WorkerPid));
        Assert.Equal(1, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Equal(0, await lab.FiltersAsync());
        Assert.DoesNotContain("clsact", await lab.RunAsync(lab.Host, "tc", "qdisc", "show", "dev", "veth0"), StringComparison.Ordinal);
        Assert.True((await held.LeftAsync()).IsEmpty);
    }

    /// <summary>Also a worker that stands still, which sees no closed socket.</summary>
    [LiveTheory("nginx"), InlineData(false), InlineData(true)]
    public async Task A_keeper_that_is_killed_takes_worker_and_programs_along(bool still)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port));
        await HttpRequests.SendAsync(server.Port, 100);
        BpfFootprint held = BpfFootprint.Of(agent.Pid);
        int worker = agent.WorkerPid;
        await Tool.RunAsync("kill", still ? "-STOP" : "-CONT", Text(worker));

        agent.Signal(ChildProcess.SIGKILL);
        Assert.True(await Wait.UntilAsync(() => IsGone(worker), TimeSpan.FromSeconds(1)));
        Assert.Equal(128 + ChildProcess.SIGKILL, await agent.WaitForExitAsync(Wait.Hang));
        Assert.True((await held.LeftAsync()).IsEmpty);
    }

    /// <summary>It still has its ends of all sockets then, so that nobody sees it gone.</summary>
    [LiveTheory("ip", "tc", "ethtool"), InlineData(ChildProcess.SIGTERM), InlineData(ChildProcess.SIGINT)]
    public async Task A_worker_that_stands_still_does_not_keep_the_keeper(int signal)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            lab.Agent("tc", ("BEYLA_OPEN_PORT", FreePort.Next().ToString(CultureInfo.InvariantCulture))));
        int worker = agent.WorkerPid;
        await Tool.RunAsync("kill", "-STOP", Text(worker));

        agent.Signal(signal);
        Assert.Equal(1, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Single(agent.ErrorLines, line => line.Contains("The worker did not stop", StringComparison.Ordinal));
        Assert.True(await Wait.UntilAsync(() => IsGone(worker), Wait.Hang));
        Assert.Equal(0, await lab.FiltersAsync());
    }

    /// <summary>The way of a span does not lead through the keeper.</summary>
    [LiveFact("nginx")]
    public async Task Spans_go_on_while_the_keeper_stands_still()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port));
        await HttpRequests.SendAsync(server.Port, 10);
        await agent.WaitForServerSpansAsync(10);

        agent.Signal(ChildProcess.SIGSTOP);
        long start = Stopwatch.GetTimestamp();
        int count = 10;
        while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(3))
        {
            await HttpRequests.SendAsync(server.Port, 500);
            count += 500;
            await agent.WaitForServerSpansAsync(count);
        }

        Assert.Equal('T', Halves.Status(agent.Pid, "State")[0]);
        agent.Signal(ChildProcess.SIGCONT);
        // A look into a process that the keeper does not answer for so long is given up, and said.
        await agent.StopAsync(ChildProcess.SIGINT, "inspections");
        Assert.Equal(count, agent.Spans.Count);
    }

    internal static string Text(int pid) => pid.ToString(CultureInfo.InvariantCulture);

    /// <summary>A zombie whose parent does not wait has ended too.</summary>
    private static bool IsGone(int pid)
    {
        try
        {
            return Halves.Status(pid, "State").StartsWith('Z');
        }
        catch (IOException)
        {
            return true;
        }
    }
}
