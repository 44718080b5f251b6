using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Capabilities;

/// <summary><c>beyla capability set</c> and <c>clear</c> on real files, and what they refuse.</summary>
public sealed class SetCommandTests
{
    [LiveTheory("getcap")]
    [InlineData("network", "", "cap_net_raw,cap_bpf=p")]
    [InlineData("network-tc", "", "cap_net_admin,cap_perfmon,cap_bpf=p")]
    [InlineData("network-tc", "--minimal", "cap_net_admin,cap_bpf=p")]
    [InlineData("application", "", "cap_dac_read_search,cap_net_raw,cap_sys_ptrace,cap_perfmon,cap_bpf,cap_checkpoint_restore=p")]
    [InlineData("application", "--minimal", "cap_dac_read_search,cap_sys_ptrace,cap_perfmon,cap_bpf=p")]
    public async Task Writes_the_set_of_the_scenario_and_reads_it_back(string scenario, string option, string expected)
    {
        using OrdinaryUser copy = await OrdinaryUser.CreateAsync("");
        (int status, string output, string errors) = await Root(
            copy.Binary, ["capability", "set", "--scenario", scenario, .. Words(option)]);

        Assert.True(status == 0, errors);
        Assert.Equal($"{copy.Binary}: {expected}", output);
        Assert.Equal($"{copy.Binary} {expected}", (await Tool.RunAsync("getcap", copy.Binary)).Trim());

        (status, output, _) = await Root(copy.Binary, ["capability", "clear"]);
        Assert.Equal((0, $"{copy.Binary}: file capabilities removed"), (status, output));
        Assert.Equal("", await Tool.RunAsync("getcap", copy.Binary));
        (status, output, _) = await Root(copy.Binary, ["capability", "clear"]);
        Assert.Equal((0, $"{copy.Binary}: had no file capabilities"), (status, output));
    }

    [LiveFact("getcap")]
    public async Task The_configuration_decides_where_no_scenario_is_named()
    {
        using OrdinaryUser copy = await OrdinaryUser.CreateAsync("");
        (int status, string output, string errors) = await Root(copy.Binary, ["capability", "set", "--minimal", "--open-port", "8080"]);
        Assert.True(status == 0, errors);
        Assert.Equal($"{copy.Binary}: cap_dac_read_search,cap_sys_ptrace,cap_perfmon,cap_bpf=p", output);
        (status, output, errors) = await Root(copy.Binary, ["capability", "set", "--capability", "CAP_PERFMON,cap_bpf"]);
        Assert.True(status == 0, errors);
        Assert.Equal($"{copy.Binary}: cap_perfmon,cap_bpf=p", output);
    }

    [LiveFact("setpriv")]
    public async Task Without_the_right_it_prints_the_exact_command()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync("");
        (int status, string output, string errors) = await user.CommandAsync(["capability", "set", "--scenario", "network"]);
        Assert.Equal((1, ""), (status, output));
        Assert.EndsWith($"\nsudo setcap cap_net_raw,cap_bpf=p {user.Binary}", errors, StringComparison.Ordinal);

        (status, _, errors) = await user.CommandAsync(["capability", "clear"]);
        Assert.Equal(1, status);
        Assert.EndsWith($"\nsudo setcap -r {user.Binary}", errors, StringComparison.Ordinal);
    }

    [LiveFact("getcap")]
    public async Task Add_keeps_what_the_file_carries_and_set_replaces_it()
    {
        using OrdinaryUser copy = await OrdinaryUser.CreateAsync("cap_dac_read_search,cap_sys_ptrace,cap_perfmon,cap_bpf");
        (int status, string output, string errors) = await Root(
            copy.Binary, ["capability", "set", "--add", "--minimal", "--scenario", "network"]);
        Assert.True(status == 0, errors);
        const string Both = "cap_dac_read_search,cap_net_raw,cap_sys_ptrace,cap_perfmon,cap_bpf=p";
        Assert.Equal($"{copy.Binary}: {Both}", output);
        Assert.Equal($"{copy.Binary} {Both}", (await Tool.RunAsync("getcap", copy.Binary)).Trim());

        // Again changes nothing, and single capabilities are added too.
        (status, output, _) = await Root(copy.Binary, ["capability", "set", "--add", "--capability", "cap_net_raw"]);
        Assert.Equal((0, $"{copy.Binary}: {Both}"), (status, output));
        (status, output, _) = await Root(copy.Binary, ["capability", "set", "--minimal", "--scenario", "network"]);
        Assert.Equal((0, $"{copy.Binary}: cap_net_raw,cap_bpf=p"), (status, output));

        // A file without any gets what is asked for.
        (status, _, _) = await Root(copy.Binary, ["capability", "clear"]);
        Assert.Equal(0, status);
        (status, output, _) = await Root(copy.Binary, ["capability", "set", "--add", "--minimal", "--scenario", "network"]);
        Assert.Equal((0, $"{copy.Binary}: cap_net_raw,cap_bpf=p"), (status, output));
    }

    [LiveFact("setcap", "getcap")]
    public async Task Add_keeps_inheritable_ones_and_leaves_another_namespace_alone()
    {
        using OrdinaryUser copy = await OrdinaryUser.CreateAsync("");
        await Tool.RunAsync("setcap", "cap_net_bind_service=ip cap_perfmon=p", copy.Binary);
        (int status, string output, string errors) = await Root(
            copy.Binary, ["capability", "set", "--add", "--minimal", "--scenario", "network"]);
        Assert.True(status == 0, errors);
        Assert.Equal($"{copy.Binary}: cap_net_bind_service=ip cap_net_raw,cap_perfmon,cap_bpf=p", output);

        await Tool.RunAsync("setcap", "-n", "100000", "cap_net_admin=p", copy.Binary);
        (status, output, errors) = await Root(copy.Binary, ["capability", "set", "--add", "--minimal", "--scenario", "network"]);
        Assert.Equal((1, ""), (status, output));
        Assert.Contains(
            "is for the user namespace whose root is user 100000; beyla capability clear first", errors, StringComparison.Ordinal);
        Assert.Equal($"{copy.Binary} cap_net_admin=p [rootid=100000]", (await Tool.RunAsync("getcap", "-n", copy.Binary)).Trim());
    }

    [LiveFact("setpriv", "setcap")]
    public async Task The_printed_remedy_keeps_what_the_file_carries()
    {
        // Set up for flows alone, and asked to trace.
        using OrdinaryUser user = await OrdinaryUser.CreateAsync("cap_net_admin,cap_bpf");
        (int status, string output, _) = await user.CommandAsync(["capability", "test", "--json", "--open-port", "8080"]);
        Assert.Equal(3, status);
        string fix = CapabilityJson.Read(output).Requirements.Single(row => row.Capability == Capability.Perfmon).Fix;
        Assert.Equal($"sudo setcap cap_dac_read_search,cap_net_admin,cap_sys_ptrace,cap_perfmon,cap_bpf=p {user.Binary}", fix);

        (status, _, string errors) = await user.CommandAsync(["capability", "set", "--add", "--minimal", "--open-port", "8080"]);
        Assert.Equal(1, status);
        Assert.EndsWith($"\nsudo setcap cap_dac_read_search,cap_net_admin,cap_sys_ptrace,cap_perfmon,cap_bpf=p {user.Binary}",
            errors, StringComparison.Ordinal);
    }

    [LiveFact("setcap")]
    public async Task Root_asks_with_file_what_the_file_gives_to_others()
    {
        using OrdinaryUser copy = await OrdinaryUser.CreateAsync("cap_perfmon,cap_bpf");
        (int status, string output, string errors) = await Root(
            Repository.Agent, ["capability", "test", "--json", "--open-port", "8080", "--file", copy.Binary]);
        Assert.True(status == 3, errors);
        CapabilityReport report = CapabilityJson.Read(output);
        Assert.Equal(copy.Binary, report.Agent);
        Assert.Equal([Capability.Perfmon, Capability.Bpf],
            report.Requirements.Where(row => row.State == CapabilityState.Granted).Select(row => row.Capability));
        Assert.Equal("cap_perfmon,cap_bpf=p", report.Host.Single(setting => setting.Name == "file capabilities").Value);
        Assert.Equal("CAP_PERFMON, CAP_BPF", report.Host.Single(setting => setting.Name == "permitted set").Value);

        // The same as that user is told himself.
        (status, output, _) = await copy.CommandAsync(["capability", "test", "--json", "--open-port", "8080"]);
        Assert.Equal(3, status);
        Assert.Equal(report.Requirements.Select(row => (row.Capability, row.State, row.Fix)),
            CapabilityJson.Read(output).Requirements.Select(row => (row.Capability, row.State, row.Fix)));

        await Tool.RunAsync("setcap", "-r", copy.Binary);
        (status, output, _) = await Root(Repository.Agent, ["capability", "test", "--json", "--open-port", "8080", "--file", copy.Binary]);
        Assert.Equal(3, status);
        Assert.DoesNotContain(CapabilityJson.Read(output).Requirements, row => row.State == CapabilityState.Granted);
        (status, _, errors) = await Root(Repository.Agent, ["capability", "test", "--probe", "--open-port", "8080", "--file", copy.Binary]);
        Assert.Equal(2, status);
        Assert.Contains("--probe asks the kernel about this process, and --file about a file", errors, StringComparison.Ordinal);
    }

    [LiveFact("setpriv", "getcap")]
    public async Task What_the_bounding_set_excludes_is_left_out_and_said()
    {
        using OrdinaryUser copy = await OrdinaryUser.CreateAsync("");
        await using AgentProcess agent = AgentProcess.Launch(new AgentSettings
        {
            Binary = copy.Binary, Prefix = ["setpriv", "--bounding-set=-sys_ptrace", "--"],
            Arguments = ["capability", "set", "--minimal", "--scenario", "application"],
        });
        int status = await agent.WaitForExitAsync(Wait.Hang);
        Assert.True(status == 0, agent.Errors);
        Assert.Contains("CAP_SYS_PTRACE is left out: the bounding set", agent.Errors, StringComparison.Ordinal);
        Assert.Equal($"{copy.Binary} cap_dac_read_search,cap_perfmon,cap_bpf=p", (await Tool.RunAsync("getcap", copy.Binary)).Trim());
    }

    [LiveFact]
    public async Task Refuses_what_is_not_the_agent()
    {
        using TempDirectory files = new();
        string script = Executable(files.Write("script", "#!/bin/sh\nexec beyla\n"));
        string text = files.Write("text", "hello\n");
        string shared = Path.Combine(files.Path, "shared");
        File.Copy(Repository.Agent, shared);
        File.SetUnixFileMode(shared, (UnixFileMode)0b111_111_101);
        // The host that runs these tests is one of CoreCLR.
        string host = Path.Combine(files.Path, "pwsh");
        File.Copy(Environment.ProcessPath!, host);
        Executable(host);

        await AssertRefused(script, "it is a script");
        await AssertRefused(text, "it is not executable");
        await AssertRefused(shared, "its group or others may write it (mode 0775)");
        await AssertRefused(host, "it is a host of CoreCLR");
        await AssertRefused("/bin/true", "it is not this agent's own kind of file");
        await AssertRefused(files.Path, "it is not a regular file");
        await AssertRefused(Executable(files.Write("elf", "\u007fELF")), "it is not an ELF executable");
        (int status, _, string errors) = await Root(
            Repository.Agent, ["capability", "set", "--scenario", "network", "--file", "/nonexistent/beyla"]);
        Assert.Equal(1, status);
        Assert.Contains("open /nonexistent/beyla: ENOENT", errors, StringComparison.Ordinal);
    }

    [LiveTheory("mount", "umount")]
    [InlineData("tmpfs", "nosuid", "mounted nosuid")]
    [InlineData("ramfs", "suid", "cannot hold file capabilities")]
    public async Task Refuses_file_systems_where_they_would_not_count(string type, string option, string reason)
    {
        using TempDirectory directory = new();
        await Tool.RunAsync("mount", "-t", type, "-o", option, "none", directory.Path);
        try
        {
            string copy = Path.Combine(directory.Path, "beyla");
            File.Copy(Repository.Agent, copy);
            Executable(copy);
            (int status, _, string errors) = await Root(Repository.Agent, ["capability", "set", "--scenario", "network", "--file", copy]);
            Assert.Equal(1, status);
            Assert.Contains(reason, errors, StringComparison.Ordinal);
        }
        finally
        {
            await Tool.RunAsync("umount", directory.Path);
        }
    }

    [LiveFact("getcap")]
    public async Task A_file_that_is_open_for_writing_is_refused_and_whose_it_is_does_not_matter()
    {
        using TempDirectory files = new();
        string copy = Path.Combine(files.Path, "beyla");
        File.Copy(Repository.Agent, copy);
        Executable(copy);
        await Tool.RunAsync("chown", "65534:65534", copy);
        await using (FileStream writer = new(copy, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            await AssertRefused(copy, "a process has it open for writing");
        }

        Assert.Equal("", await Tool.RunAsync("getcap", copy));

        (int status, string output, string errors) = await Root(
            Repository.Agent, ["capability", "set", "--scenario", "network", "--file", copy]);
        Assert.True(status == 0, errors);
        Assert.Equal($"{copy}: cap_net_raw,cap_bpf=p", output);
    }

    [LiveFact("setpriv")]
    public async Task A_path_with_control_characters_reaches_no_terminal_and_the_command_still_names_it()
    {
        using TempDirectory files = new();
        string directory = Path.Combine(files.Path, "it's\u001b[31m");
        Directory.CreateDirectory(directory);
        string copy = Path.Combine(directory, "beyla");
        File.Copy(Repository.Agent, copy);
        Executable(copy);
        await using AgentProcess agent = AgentProcess.Launch(new AgentSettings
        {
            Binary = copy,
            Prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--"],
            Arguments = ["capability", "set", "--scenario", "network"],
        });
        Assert.Equal(1, await agent.WaitForExitAsync(Wait.Hang));
        Assert.DoesNotContain('\u001b', agent.Errors);
        string word = agent.Errors.Split(" cap_net_raw,cap_bpf=p ")[^1].Trim();
        Assert.Equal(copy, await Tool.RunAsync("bash", "-c", $"printf %s {word}"));
    }

    private static async Task AssertRefused(string path, string reason)
    {
        (int status, string output, string errors) = await Root(
            Repository.Agent, ["capability", "set", "--scenario", "network", "--file", path]);
        Assert.Equal((1, ""), (status, output));
        Assert.Contains($"{path} gets no capabilities: {reason}", errors, StringComparison.Ordinal);
    }

    private static async Task<(int Status, string Output, string Errors)> Root(string binary, IEnumerable<string> arguments)
    {
        await using AgentProcess agent = AgentProcess.Launch(new AgentSettings { Binary = binary, Arguments = [.. arguments] });
        int status = await agent.WaitForExitAsync(Wait.Hang);
        return (status, agent.Output, agent.Errors);
    }

    private static string Executable(string path)
    {
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        return path;
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
