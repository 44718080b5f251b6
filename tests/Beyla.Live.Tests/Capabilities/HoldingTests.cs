using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Capabilities;

/// <summary>How capabilities are held while the agent works.</summary>
public sealed class HoldingTests
{
    // Bits of CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_PERFMON and CAP_BPF.
    private const ulong ApplicationNeeds = (1UL << 2) | (1UL << 19) | (1UL << 38) | (1UL << 39);

    // A warning is logged before the second phase: it must not start a thread of the runtime that then keeps everything.
    [LiveTheory("python3")]
    [InlineData("BEYLA_TRACE_PRINTER", "json")]
    [InlineData("BEYLA_NO_SUCH_SETTING", "1")]
    public async Task Root_keeps_what_the_configuration_needs_and_nothing_else(string variable, string value)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).With(variable, value));
        await HttpRequests.SendAsync(server.Port, 20);
        await agent.WaitForServerSpansAsync(20);

        await Held.AssertNothingIsEffective(agent.Pid);
        Assert.Equal(ApplicationNeeds, await Held.OfAllThreads(agent.Pid, "CapPrm"));
        Assert.Equal(0UL, await Held.OfAllThreads(agent.Pid, "CapBnd"));
        await agent.StopAsync();
    }

    [LiveTheory("python3", "setcap", "setpriv")]
    [InlineData("ep")]
    [InlineData("p")]
    public async Task An_ordinary_user_keeps_the_same_and_cannot_look_into_it(string flags)
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed, flags);
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(user.Run(AgentSettings.ForPorts(server.Port)));
        await HttpRequests.SendAsync(server.Port, 20);
        await agent.WaitForServerSpansAsync(20);

        await Held.AssertNothingIsEffective(agent.Pid);
        Assert.Equal(ApplicationNeeds, await Held.OfAllThreads(agent.Pid, "CapPrm"));
        // Not dumpable: what /proc shows of it belongs to root, so the user who started it may not read its memory or trace it.
        foreach (string file in (string[])["mem", "environ", "maps", "exe"])
        {
            await using ChildProcess reader = ChildProcess.Start(
                Tool.Find("setpriv"),
                ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", Tool.Find("head"), "-c", "1",
                    string.Create(CultureInfo.InvariantCulture, $"/proc/{agent.Pid}/{file}")]);
            Assert.NotEqual(0, await reader.WaitForExitAsync(Wait.Hang));
            Assert.Contains("Permission denied", reader.Errors, StringComparison.Ordinal);
        }

        await agent.StopAsync();
    }

    [LiveFact("python3", "setcap", "setpriv")]
    public async Task What_is_said_before_the_start_leaves_no_thread_with_more()
    {
        // The first line of the log makes the runtime start a thread, which has what its creator had.
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(
            ScenarioCase.Without(ScenarioCase.Find("application").Listed, "cap_net_raw"));
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            user.Run(AgentSettings.ForPorts(server.Port).With("BEYLA_OPEN_PROT", "1")));

        Assert.Equal(ApplicationNeeds, await Held.OfAllThreads(agent.Pid, "CapPrm"));
        await agent.StopAsync();
        Assert.Contains("BEYLA_OPEN_PROT", agent.Errors, StringComparison.Ordinal);
        Warnings.AssertNamed(agent.Errors, "CAP_NET_RAW");
        Assert.DoesNotContain("still holds", agent.Errors, StringComparison.Ordinal);
    }

    [LiveFact("setcap", "setpriv")]
    public async Task The_report_on_a_signal_says_what_is_held()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed);
        await using AgentProcess agent = await AgentProcess.StartAsync(user.Run(AgentSettings.ForPorts(FreePort.Next())));
        agent.Signal(ChildProcess.SIGUSR1);

        // The thread that makes the report has CAP_BPF raised only while it reads the counters.
        const string expected =
            "effective=none permitted=CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF inheritable=none";
        Assert.True(await Wait.UntilAsync(() => agent.Errors.Contains(expected, StringComparison.Ordinal), Wait.Hang), agent.Errors);
        Assert.Contains("ambient=none no_new_privs=yes dumpable=no", agent.Errors, StringComparison.Ordinal);
        await agent.StopAsync();
    }

    [LiveFact("python3", "setcap", "setpriv")]
    public async Task Nothing_stays_effective_under_load()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Needed);
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(user.Run(AgentSettings.ForPorts(server.Port)));
        Task<Exchange[]> load = HttpRequests.SendAsync(server.Port, 500);
        // Reading /proc/PID and the counters raises for microseconds, so one sighting is no fault and a majority is.
        int seen = 0, looks = 0;
        while (!load.IsCompleted)
        {
            looks++;
            seen += await Holds(agent.Pid) ? 1 : 0;
            await Task.Delay(5);
        }

        await load;
        await agent.WaitForServerSpansAsync(500);
        Assert.True(looks > 3 && seen * 4 <= looks, $"something was effective in {seen} of {looks} looks");
        await Held.AssertNothingIsEffective(agent.Pid);
        await agent.StopAsync();
    }

    private static async Task<bool> Holds(int pid)
    {
        foreach (string task in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            string status = await File.ReadAllTextAsync(Path.Combine(task, "status"));
            if (!status.Contains("CapEff:\t0000000000000000\n", StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
