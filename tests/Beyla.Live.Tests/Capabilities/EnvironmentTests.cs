using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Capabilities;

/// <summary>The caller of an agent with file capabilities cannot put code into it.</summary>
public sealed class EnvironmentTests
{
    private const int SIGABRT = 6;

    // Leaves a mark in the file system wherever it is loaded, under whatever name.
    private const string Planted = """
        #include <fcntl.h>
        #include <unistd.h>
        __attribute__((constructor)) static void loaded(void)
        {
            int mark = open(MARK, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
            if (mark >= 0)
                close(mark);
        }
        """;

    [LiveFact("gcc", "python3", "setcap", "setpriv")]
    public async Task No_library_hook_or_profiler_of_the_caller_is_loaded()
    {
        using TempDirectory planted = new();
        File.SetUnixFileMode(planted.Path, (UnixFileMode)0b111_111_111);
        string mark = Path.Combine(planted.Path, "mark");
        string library = await BuildAsync(planted, mark);
        foreach (string name in (string[])
            ["libbpf.so", "libbpf.so.1", "libbpf", "libelf.so.1", "libz.so.1", "libc.so", "libc.so.6", "libm.so.6", "libSystem.Native.so",
                "libcoreclr.so", "libhostfxr.so"])
        {
            File.Copy(library, Path.Combine(planted.Path, name), overwrite: true);
        }

        File.Copy(typeof(EnvironmentTests).Assembly.Location, Path.Combine(planted.Path, "hook.dll"));

        // The plant works: a program without capabilities loads it.
        await using (ChildProcess control = ChildProcess.Start(Tool.Find("true"), [], [new("LD_PRELOAD", library)]))
        {
            await control.WaitForExitAsync(Wait.Hang);
        }

        Assert.True(File.Exists(mark));
        File.Delete(mark);

        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed);
        await using TestServer server = await ServerKinds.PythonAsync();
        AgentSettings settings = AgentSettings.ForPorts(server.Port);
        foreach ((string name, string value) in Hostile(planted.Path, library))
        {
            settings = settings.With(name, value);
        }
        // env(1) sets the variables after setpriv, which itself would load what they name.
        AgentSettings run = user.Run(
            settings with { Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["BEYLA_TRACE_PRINTER"] = "json" } });
        run = run with
        {
            Prefix = [.. run.Prefix, Tool.Find("env"), $"--chdir={planted.Path}",
                .. settings.Environment.Select(pair => $"{pair.Key}={pair.Value}")],
        };
        await using AgentProcess agent = await AgentProcess.StartAsync(run);
        await HttpRequests.SendAsync(server.Port, 20);
        await agent.WaitForServerSpansAsync(20);
        string maps = await File.ReadAllTextAsync($"/proc/{agent.Pid}/maps");
        await agent.StopAsync();

        Assert.DoesNotContain(planted.Path, maps, StringComparison.Ordinal);
        Assert.False(File.Exists(mark), "planted code ran with the agent's capabilities");
    }

    /// <summary>
    /// Each of these ended the agent before its first line, without a word: the runtime took it for the size of its heap.
    /// </summary>
    [LiveTheory("setcap", "setpriv")]
    [InlineData("DOTNET_GCHeapHardLimit", "10000")]
    [InlineData("DOTNET_GCRegionSize", "1")]
    [InlineData("dotnet_gcregionsize", "1")]
    public async Task No_setting_of_the_runtime_is_taken_from_the_caller(string variable, string value)
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed);
        AgentSettings run = user.Run(new AgentSettings { Arguments = ["--version"] }.With(variable, value));
        await using AgentProcess agent = AgentProcess.Launch(run);
        Assert.Equal(0, await agent.WaitForExitAsync(TimeSpan.FromSeconds(20)));
        Assert.StartsWith("beyla ", agent.Output, StringComparison.Ordinal);

        // The same as root, whose environment is his own: what is tested is what runs.
        await using AgentProcess own = AgentProcess.Launch(new AgentSettings { Arguments = ["--version"] }.With(variable, value));
        Assert.Equal(0, await own.WaitForExitAsync(TimeSpan.FromSeconds(20)));
    }

    /// <summary>A bound in memory as well: the runtime read 1 GB of the device.</summary>
    [LiveTheory("mkfifo", "prlimit", "setcap", "setpriv")]
    [InlineData("TZ", ":PIPE")]
    [InlineData("TZ", "PIPE")]
    [InlineData("TZ", ":/dev/zero")]
    [InlineData("TZ", "../../../../dev/zero")]
    [InlineData("TZDIR", "DIRECTORY")]
    public async Task A_time_zone_that_is_no_file_of_one_is_left_out_and_said(string variable, string value)
    {
        using TempDirectory files = new();
        string pipe = Path.Combine(files.Path, "pipe");
        await Tool.RunAsync("mkfifo", pipe);
        await Tool.RunAsync("chmod", "-R", "a+rX", files.Path);
        value = value.Replace("PIPE", pipe, StringComparison.Ordinal).Replace("DIRECTORY", files.Path, StringComparison.Ordinal);
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed);
        AgentSettings settings = AgentSettings.ForPorts(FreePort.Next()).With("TZ", "pipe").With(variable, value);
        // The dynamic linker takes TZDIR away from a program with capabilities; root's own agent has it.
        AgentSettings run = variable == "TZDIR" ? settings : user.Run(settings);
        string[] prefix = run.Prefix.Count > 0 ? [Tool.Find(run.Prefix[0]), .. run.Prefix.Skip(1)] : [];
        await using AgentProcess agent = await AgentProcess.StartAsync(
            run with { Prefix = [Tool.Find("prlimit"), "--data=268435456", "--", .. prefix] });
        await agent.StopAsync();
        Assert.Contains("level=WARN msg=\"The environment names a time zone that is not used\" warning=\"" + variable,
            agent.Errors, StringComparison.Ordinal);
        Assert.Contains(value, agent.Errors, StringComparison.Ordinal);
    }

    [LiveTheory("prlimit", "setcap", "setpriv")]
    [InlineData("${V}")]
    [InlineData("${V:-")]
    public async Task Variables_without_end_in_a_file_are_an_error_in_little_memory(string piece)
    {
        // The whole size of a file: of the first kind 34 GB, of the second as many searches to its end.
        using TempDirectory files = new();
        string file = files.Write(
            "beyla.yml", "open_port: 80\nservice_name: " + string.Concat(Enumerable.Repeat(piece, 1_000_000 / piece.Length)) + "\n");
        File.SetUnixFileMode(files.Path, (UnixFileMode)0b111_101_101);
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed);
        AgentSettings run = user.Run(
            new AgentSettings { Arguments = ["config", "--trace-printer", "text", "--config", file] }.With("V", new string('x', 100_000)));
        await using AgentProcess agent = AgentProcess.Launch(
            run with { Prefix = [Tool.Find("prlimit"), "--data=268435456", "--", Tool.Find(run.Prefix[0]), .. run.Prefix.Skip(1)] });
        int status = await agent.WaitForExitAsync(TimeSpan.FromSeconds(60));
        string[] errors = [.. agent.Errors.Split('\n').Where(line => line.StartsWith("error: ", StringComparison.Ordinal))];
        if (piece == "${V}")
        {
            Assert.Equal(2, status);
            Assert.Equal(
                $"error: {file}:2: with its variables replaced the text has more than 1048576 characters; the variable V here has 100000",
                Assert.Single(errors));
        }
        else
        {
            Assert.Equal((0, ""), (status, agent.Errors));
        }
    }

    [LiveFact("bash", "setcap", "setpriv")]
    public async Task The_caller_cannot_make_the_runtime_start_a_program_when_it_crashes()
    {
        // The runtime looks for createdump beside the name that the caller gave the program.
        using TempDirectory planted = new();
        File.SetUnixFileMode(planted.Path, (UnixFileMode)0b111_111_111);
        string found = Path.Combine(planted.Path, "found");
        string tool = planted.Write(
            "createdump", $"#!/bin/sh\nhead -c 1 /proc/$PPID/mem 2>&1\ncat /proc/self/status >{found}.part\nmv {found}.part {found}\n");
        File.SetUnixFileMode(tool, (UnixFileMode)0b111_101_101);
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed, "ep");
        AgentSettings run = user.Run(AgentSettings.ForPorts(FreePort.Next()).With("DOTNET_DbgEnableMiniDump", "1"));
        await using AgentProcess agent = await AgentProcess.StartAsync(run with
        {
            Prefix = [.. run.Prefix, Tool.Find("bash"), "-c", "exec -a \"$0\" \"$@\"", Path.Combine(planted.Path, "beyla")],
        });
        agent.Signal(SIGABRT);
        Assert.NotEqual(0, await agent.WaitForExitAsync(Wait.Hang));

        Assert.False(File.Exists(found) || File.Exists(found + ".part"), "the runtime started a program of the caller");
    }

    [LiveFact("setcap", "setpriv")]
    public async Task A_process_that_may_open_nothing_says_so_and_ends()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed);
        AgentSettings run = user.Run(AgentSettings.ForPorts(FreePort.Next()));
        await using AgentProcess agent = AgentProcess.Launch(run with
        {
            Prefix = [.. run.Prefix, Tool.Find("sh"), "-c", "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -n 4; exec \"$@\"", "sh"],
        });
        Assert.Equal(1, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("beyla: cannot start: socketpair: Too many open files", agent.Errors, StringComparison.Ordinal);
    }

    /// <summary>The file, the directory it is in, and that one's parent; 12345 is neither root nor the caller.</summary>
    [LiveTheory("chown", "setcap", "setpriv")]
    [InlineData("666", "755", "755", "everybody may write it")]
    [InlineData("664", "755", "755", "its group may write it")]
    [InlineData("644", "775", "755", "its group may write the directory")]
    [InlineData("644", "1777", "755", "everybody may write the directory")]
    [InlineData("644", "755", "775", "its group may write the directory")]
    [InlineData("644 12345", "755", "755", "it belongs to user 12345")]
    [InlineData("644", "755 12345", "755", "belongs to user 12345, who may put another file there")]
    [InlineData("644", "755", "755 12345", "belongs to user 12345, who may put another file there")]
    [InlineData("644", "755", "1777", null)]
    [InlineData("600 65534", "700 65534", "755", null)]
    [InlineData("644", "755 65534", "755 65534", null)]
    public async Task A_configuration_that_others_may_have_planted_is_refused(string file, string directory, string above, string? reason)
    {
        using TempDirectory root = new();
        string parent = Path.Combine(root.Path, "above");
        string child = Path.Combine(parent, "directory");
        string path = Path.Combine(child, "beyla.yml");
        Directory.CreateDirectory(child);
        await File.WriteAllTextAsync(path, "open_port: 1\n");
        (string, string)[] places = [(root.Path, "755"), (path, file), (child, directory), (parent, above)];
        foreach ((string place, string rights) in places)
        {
            string[] words = rights.Split(' ');
            await Tool.RunAsync("chmod", words[0], place);
            await Tool.RunAsync("chown", words.Length > 1 ? words[1] : "0", place);
        }

        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed);
        (int status, string output, string errors) = await user.CommandAsync(["config", "--trace-printer", "text", "--config", path]);

        if (reason is null)
        {
            Assert.Equal((0, ""), (status, errors));
            Assert.Contains($"{path}:1:12", output, StringComparison.Ordinal);
            return;
        }

        Assert.Equal(2, status);
        Assert.Contains(
            $"error: the configuration file \"{path}\" is refused, because the agent has capabilities that its caller has not: ", errors,
            StringComparison.Ordinal);
        Assert.Contains(reason, errors, StringComparison.Ordinal);
    }

    [LiveFact("setcap", "setpriv")]
    public async Task A_configuration_that_the_caller_may_not_read_is_not_read_for_him()
    {
        using TempDirectory directory = new();
        string file = directory.Write("secret", "password: hunter2\n");
        File.SetUnixFileMode(file, (UnixFileMode)0b110_000_000);
        // CAP_DAC_READ_SEARCH would open it, were it effective.
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed, "ep");
        await using AgentProcess agent = AgentProcess.Launch(user.Run(new AgentSettings().With("BEYLA_CONFIG_PATH", file)));

        Assert.Equal(2, await agent.WaitForExitAsync(Wait.Hang));
        Assert.DoesNotContain("hunter2", agent.Errors, StringComparison.Ordinal);
    }

    private static async Task<string> BuildAsync(TempDirectory directory, string mark)
    {
        string source = directory.Write("planted.c", Planted);
        string library = Path.Combine(directory.Path, "planted.so");
        await Tool.RunAsync("gcc", "-shared", "-fPIC", $"-DMARK=\"{mark}\"", "-o", library, source);
        File.SetUnixFileMode(library, (UnixFileMode)0b111_101_101);
        return library;
    }

    private static IEnumerable<(string Name, string Value)> Hostile(string directory, string library) =>
    [
        ("LD_PRELOAD", library),
        ("LD_AUDIT", library),
        ("LD_LIBRARY_PATH", directory),
        ("GCONV_PATH", directory),
        ("DOTNET_STARTUP_HOOKS", Path.Combine(directory, "hook.dll")),
        ("DOTNET_ROOT", directory),
        ("DOTNET_ROOT_X64", directory),
        ("DOTNET_BUNDLE_EXTRACT_BASE_DIR", directory),
        ("DOTNET_ADDITIONAL_DEPS", directory),
        ("DOTNET_SHARED_STORE", directory),
        ("DOTNET_GCName", "planted.so"),
        ("DOTNET_GCPath", library),
        ("DOTNET_DbgEnableMiniDump", "1"),
        ("CORECLR_ENABLE_PROFILING", "1"),
        ("CORECLR_PROFILER", "{cf0d821e-299b-5307-a3d8-b283c03916dd}"),
        ("CORECLR_PROFILER_PATH", library),
        ("CORECLR_PROFILER_PATH_64", library),
        ("COMPlus_GCName", "planted.so"),
    ];
}
