using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Keeper;

/// <summary>What every thread of the worker of a real agent has while it works (capabilities(7), proc(5)).</summary>
public sealed class WorkingWorkerTests
{
    private static readonly string[] Sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

    [LiveFact("nginx")]
    public async Task Started_by_root_each_thread_is_nobody_holds_nothing_and_is_filtered()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port));
        await HttpRequests.SendAsync(server.Port, 100);
        await agent.WaitForServerSpansAsync(100);
        AssertThreads(agent.WorkerPid, "65534", Sets);
        AssertHoldsNoPrograms(agent);
        await agent.StopAsync();
    }

    [LiveFact("nginx")]
    public async Task Started_by_root_each_thread_is_the_user_that_was_chosen()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.ForPorts(server.Port).With("BEYLA_WORKER_USER", "54321"));
        await HttpRequests.SendAsync(server.Port, 100);
        await agent.WaitForServerSpansAsync(100);
        AssertThreads(agent.WorkerPid, "54321", Sets);
        Assert.DoesNotContain("BEYLA_WORKER_USER", agent.Errors, StringComparison.Ordinal);
        await agent.StopAsync();
    }

    [LiveFact("nginx", "setpriv", "setcap")]
    public async Task Started_by_an_ordinary_user_each_thread_is_that_user()
    {
        using CapableAgent copy = await CapableAgent.CreateAsync("cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search=p");
        await using TestServer server = await Nginx.StartAsync();
        AgentSettings settings = copy.Run(AgentSettings.ForPorts(server.Port)).With("BEYLA_WORKER_USER", "daemon");
        await using AgentProcess agent = await AgentProcess.StartAsync(
            settings with { Prefix = ["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", "--inh-caps=-all", "--"] });
        await HttpRequests.SendAsync(server.Port, 100);
        await agent.WaitForServerSpansAsync(100);
        // The bounding set takes CAP_SETPCAP to change; with no_new_privs nothing comes out of it.
        AssertThreads(agent.WorkerPid, "1234", [.. Sets.Except(["CapBnd"])]);
        Assert.Single(agent.ErrorLines, line => line.Contains("BEYLA_WORKER_USER counts only where root", StringComparison.Ordinal));
        AssertHoldsNoPrograms(agent);
        await agent.StopAsync();
    }

    [LiveFact]
    public async Task With_flows_each_thread_is_filtered_too()
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.For("BEYLA_NETWORK_METRICS", "1").With("BEYLA_REVERSE_DNS_TYPE", "local"));
        AssertThreads(agent.WorkerPid, "65534", Sets);
        AssertHoldsNoPrograms(agent);
        await agent.StopAsync();
    }

    /// <summary>The worker may read neither the directory nor the file; the last row has only an open file without a name.</summary>
    [LiveTheory("nginx"), InlineData("path"), InlineData("variable"), InlineData("descriptor")]
    public async Task A_configuration_that_only_root_may_read_is_used(string how)
    {
        using TempDirectory directory = new();
        File.SetUnixFileMode(directory.Path, (UnixFileMode)0b111_000_000);
        await using TestServer server = await Nginx.StartAsync();
        string file = directory.Write("beyla.yml", $"open_port: {server.Port}\ntrace_printer: json\n");
        File.SetUnixFileMode(file, (UnixFileMode)0b110_000_000);
        AgentSettings settings = AgentSettings.For("BEYLA_TRACE_PRINTER", "json");
        settings = how switch
        {
            "path" => settings with { Arguments = ["--config", file] },
            "variable" => settings.With("BEYLA_CONFIG_PATH", file),
            _ => settings with
            {
                Prefix = [Tool.Find("sh"), "-c", "exec 9<\"$0\"; rm \"$0\"; exec \"$@\"", file], Arguments = ["--config", "/dev/fd/9"],
            },
        };
        await using AgentProcess agent = await AgentProcess.StartAsync(settings);
        await HttpRequests.SendAsync(server.Port, 20);
        await agent.WaitForServerSpansAsync(20);
        Assert.Equal("65534\t65534\t65534\t65534", Halves.Status(agent.WorkerPid, "Uid"));
        await agent.StopAsync();
    }

    /// <summary>bash(1), process substitution: a pipe is no configuration file, as before.</summary>
    [LiveFact("bash")]
    public async Task A_configuration_from_a_pipe_is_refused()
    {
        await using AgentProcess agent = AgentProcess.Launch(new AgentSettings
        {
            Prefix = [Tool.Find("bash"), "-c", "\"$0\" --config <(echo open_port: 80)"],
        });
        Assert.Equal(2, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("is not a regular file", agent.Errors, StringComparison.Ordinal);
    }

    private static void AssertThreads(int worker, string user, string[] sets)
    {
        int[] threads = [.. Directory.GetDirectories($"/proc/{worker}/task").Select(path => int.Parse(Path.GetFileName(path)))];
        Assert.True(threads.Length > 1);
        Assert.All(threads, thread =>
        {
            Assert.All(sets, set => Assert.Equal("0000000000000000", Halves.Status(thread, set)));
            Assert.Equal("1", Halves.Status(thread, "NoNewPrivs"));
            Assert.Equal("2", Halves.Status(thread, "Seccomp")); // SECCOMP_MODE_FILTER
            Assert.Equal($"{user}\t{user}\t{user}\t{user}", Halves.Status(thread, "Uid"));
            Assert.Equal($"{user}\t{user}\t{user}\t{user}", Halves.Status(thread, "Gid"));
            Assert.Equal("", Halves.Status(thread, "Groups"));
        });
    }

    /// <summary>It gets maps of which it maps memory, and neither a program nor what attaches one.</summary>
    private static void AssertHoldsNoPrograms(AgentProcess agent)
    {
        BpfFootprint held = BpfFootprint.Of(agent.WorkerPid), all = BpfFootprint.Of(agent.Pid);
        Assert.Empty(held.Programs);
        Assert.Empty(held.Links);
        Assert.NotEmpty(held.Maps);
        Assert.Subset(all.Maps.ToHashSet(), held.Maps.ToHashSet());
    }
}
