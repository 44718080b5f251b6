using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Command;

/// <summary>
/// What a caller leaves to the agent besides arguments: signals that are ignored or blocked, limits, descriptors that are closed.
/// </summary>
public sealed class InheritedTests
{
    private const int SIGXCPU = 24;

    /// <summary>sh -c 'agent &amp;' in a script makes the agent ignore SIGINT; other callers block signals and forget it.</summary>
    [LiveTheory]
    [InlineData("ignored", ChildProcess.SIGINT)]
    [InlineData("ignored", ChildProcess.SIGTERM)]
    [InlineData("ignored", SIGXCPU)]
    [InlineData("blocked", ChildProcess.SIGINT)]
    [InlineData("blocked", ChildProcess.SIGTERM)]
    [InlineData("blocked", ChildProcess.SIGHUP)]
    public async Task An_explicit_signal_ends_the_agent(string how, int signal)
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.ForPorts(FreePort.Next()) with { Prefix = Inherit(how, signal) });
        await agent.StopAsync(signal);
    }

    [LiveTheory, InlineData("ignored"), InlineData("blocked")]
    public async Task SIGUSR1_prints_the_counters_all_the_same(string how)
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.ForPorts(FreePort.Next()) with { Prefix = Inherit(how, ChildProcess.SIGUSR1) });
        agent.Signal(ChildProcess.SIGUSR1);
        Assert.True(await Wait.UntilAsync(() => agent.Counters.ContainsKey("spans"), TimeSpan.FromSeconds(10)), agent.Errors);
        await agent.StopAsync();
    }

    /// <summary>nohup(1): the agent outlives its terminal, and still ends when it is asked to.</summary>
    [LiveFact("nginx")]
    public async Task An_ignored_SIGHUP_stays_ignored()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.ForPorts(server.Port) with { Prefix = Inherit("ignored", ChildProcess.SIGHUP) });
        agent.Signal(ChildProcess.SIGHUP);
        await HttpRequests.SendAsync(server.Port, 10);
        await agent.WaitForServerSpansAsync(10);
        await agent.StopAsync();
    }

    /// <summary>
    /// Beyond RLIMIT_FSIZE a write sends SIGXFSZ, which kills: the agent ends by itself instead, says why and what it counted.
    /// </summary>
    [LiveFact("nginx", "prlimit")]
    public async Task A_file_that_may_grow_no_more_is_a_failure_with_its_reason()
    {
        using TempDirectory files = new();
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port) with
        {
            Prefix = [Tool.Find("prlimit"), "--fsize=8192", Tool.Find("sh"), "-c", "exec \"$@\" >\"$0\"",
                Path.Combine(files.Path, "spans")],
        });
        await HttpRequests.SendAsync(server.Port, 200);

        Assert.Equal(1, await agent.WaitForExitAsync(TimeSpan.FromSeconds(20)));
        Assert.Contains(agent.ErrorLines,
            line => line.Contains("level=ERROR", StringComparison.Ordinal) && line.Contains("EFBIG", StringComparison.Ordinal));
        Assert.All(agent.Counters.Values, count => Assert.True(count.Balanced, AgentLog.Describe(count)));
        Assert.Equal(8192, new FileInfo(Path.Combine(files.Path, "spans")).Length);
    }

    /// <summary>
    /// The C library opens closed descriptors of a program with file capabilities, in a way that root's agent does not have.
    /// </summary>
    [LiveTheory("nginx", "setcap", "setpriv"), InlineData(false), InlineData(true)]
    public async Task Without_a_standard_output_it_traces_for_nobody(bool ordinaryUser)
    {
        using CapableAgent capable = await CapableAgent.CreateAsync("cap_bpf,cap_perfmon+ep");
        await using TestServer server = await Nginx.StartAsync();
        AgentSettings settings = AgentSettings.ForPorts(server.Port);
        settings = ordinaryUser ? capable.Run(settings) : settings;
        await using AgentProcess agent = await AgentProcess.StartAsync(
            settings with { Prefix = [.. settings.Prefix, Tool.Find("sh"), "-c", "exec \"$@\" >&-", "sh"] });
        await HttpRequests.SendAsync(server.Port, 10);
        Assert.True(await Wait.UntilAsync(
            () =>
            {
                agent.Signal(ChildProcess.SIGUSR1);
                return agent.Counters.TryGetValue("printer", out PlaceCount? printer) && printer.Emitted == 10;
            },
            TimeSpan.FromSeconds(15)), agent.Errors);

        agent.Signal(ChildProcess.SIGTERM);
        Assert.Equal(0, await agent.WaitForExitAsync(TimeSpan.FromSeconds(10)));
        Assert.DoesNotContain("level=ERROR", agent.Errors, StringComparison.Ordinal);
    }

    /// <summary>A command that runs another one in which a signal is ignored or blocked.</summary>
    private static string[] Inherit(string how, int signal) => how == "ignored"
        ? [Tool.Find("sh"), "-c", $"trap '' {signal}; exec \"$@\"", "sh"]
        : [Tool.Find("python3"), "-I", "-c",
            $"import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [{signal}]); os.execv(sys.argv[1], sys.argv[1:])"];
}
