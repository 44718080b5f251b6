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
            ["libbpf.so", "libbpf.so.1", "libbpf", "libelf.so.1", "libz.so.1", "libc.so", "libc.so.6", "libm.so.6", "libSystem.Native.so", "libcoreclr.so", "libhostfxr.so"])
            File.Copy(library, Path.Combine(planted.Path, name), overwrite: true);
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
            settings = settings.With(name, value);
        // env(1) sets the variables after setpriv, which itself would load what they name.
        AgentSettings run = user.Run(settings with { Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["BEYLA_TRACE_PRINTER"] = "json" } });
        run = run with
        {
            Prefix = [.. run.Prefix, Tool.Find("env"), $"--chdir={planted.Path}", .. settings.Environment.Select(pair => $"{pair.Key}={pair.Value}")],
        };
        await using AgentProcess agent = await AgentProcess.StartAsync(run);
        await HttpRequests.SendAsync(server.Port, 20);
        await agent.WaitForServerSpansAsync(20);
        string maps = await File.ReadAllTextAsync($"/proc/{agent.Pid}/maps");
        await agent.StopAsync();

        Assert.DoesNotContain(planted.Path, maps, StringComparison.Ordinal);
        Assert.False(File.Exists(mark), "planted code ran with the agent's capabilities");
    }

    [LiveFact("bash", "setcap", "setpriv")]
    public async Task A_program_that_the_runtime_starts_when_it_crashes_holds_nothing()
    {
        // The runtime looks for createdump beside the name that the caller gave the program.
        using TempDirectory planted = new();
        File.SetUnixFileMode(planted.Path, (UnixFileMode)0b111_111_111);
        string found = Path.Combine(planted.Path, "found");
        string tool = planted.Write("createdump", $"#!/bin/sh\nhead -c 1 /proc/$PPID/mem 2>&1\ncat /proc/self/status >{found}.part\nmv {found}.part {found}\n");
        File.SetUnixFileMode(tool, (UnixFileMode)0b111_101_101);
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed, "ep");
        AgentSettings run = user.Run(AgentSettings.ForPorts(FreePort.Next()).With("DOTNET_DbgEnableMiniDump", "1"));
        await using AgentProcess agent = await AgentProcess.StartAsync(run with
        {
            Prefix = [.. run.Prefix, Tool.Find("bash"), "-c", "exec -a \"$0\" \"$@\"", Path.Combine(planted.Path, "beyla")],
        });
        agent.Signal(SIGABRT);
        Assert.NotEqual(0, await agent.WaitForExitAsync(Wait.Hang));

        // A runtime that starts nothing is as good.
        if (!File.Exists(found))
            return;
        string status = await File.ReadAllTextAsync(found);
        foreach (string set in (string[])["CapInh", "CapPrm", "CapEff", "CapAmb"])
            Assert.Contains($"{set}:\t0000000000000000\n", status, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1\n", status, StringComparison.Ordinal);
    }

    [LiveFact("setcap", "setpriv")]
    public async Task A_process_that_may_open_nothing_says_so_and_ends()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed);
        AgentSettings run = user.Run(AgentSettings.ForPorts(FreePort.Next()));
        await using AgentProcess agent = AgentProcess.Launch(run with { Prefix = [.. run.Prefix, Tool.Find("sh"), "-c", "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -n 4; exec \"$@\"", "sh"] });
        Assert.Equal(1, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("level=ERROR msg=\"Beyla cannot go on\" error=\"Too many open files", agent.Errors, StringComparison.Ordinal);
    }

    [LiveFact("setcap", "setpriv")]
    public async Task A_configuration_that_others_may_write_is_refused()
    {
        using TempDirectory planted = new();
        string file = planted.Write("beyla.yml", "open_port: 1\n");
        File.SetUnixFileMode(file, (UnixFileMode)0b110_110_110);
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed);
        await using AgentProcess agent = AgentProcess.Launch(user.Run(new AgentSettings().With("BEYLA_CONFIG_PATH", file)));

        Assert.Equal(2, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains(file, agent.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(AgentLog.Ready, agent.Errors, StringComparison.Ordinal);
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
