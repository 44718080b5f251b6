using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Keeper;

/// <summary>Who splits, and how the two halves hang together.</summary>
public sealed class SplitTests
{
    [LiveTheory("gcc")]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("-help")]
    [InlineData("--help=yes")]
    [InlineData("--version")]
    [InlineData("-V")]
    [InlineData("config")]
    [InlineData("config --all")]
    [InlineData("capability test --open-port 80")]
    [InlineData("--open-port 80 capability test")]
    [InlineData("export --to otlp-json")]
    [InlineData("--network config")]
    [InlineData("--set=log_level=DEBUG config")]
    [InlineData("--pid 1 --help")]
    [InlineData("no-command")]
    public async Task What_does_not_run_the_agent_is_one_process(string arguments)
    {
        await using ChildProcess process = ChildProcess.Start(await Halves.Program, arguments.Split(' '));
        Assert.Equal(0, await process.WaitForExitAsync(Wait.Hang));
        Assert.Equal("whole", process.Output);
    }

    [LiveTheory("gcc")]
    [InlineData("")]
    [InlineData("--open-port 80")]
    [InlineData("--config capability")]
    [InlineData("--set config")]
    [InlineData("--pid --help")]
    [InlineData("--network --print-flows")]
    [InlineData("--no-such-option")]
    public async Task What_runs_the_agent_is_two(string arguments)
    {
        await using Halves halves = await Halves.StartAsync([], arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal($"{halves.Keeper}", Halves.Status(halves.Worker, "PPid"));
        Assert.Equal(0, await halves.EndAsync());
    }

    [LiveFact("gcc")]
    public async Task The_list_of_processes_tells_them_apart()
    {
        await using Halves halves = await Halves.StartAsync([], ["--pid", "1"]);
        string file = await Halves.Program;
        Assert.Equal($"{file}\0--pid\0" + "1\0", await File.ReadAllTextAsync($"/proc/{halves.Keeper}/cmdline"));
        Assert.Equal("beyla: worker", (await File.ReadAllTextAsync($"/proc/{halves.Worker}/cmdline")).TrimEnd(' ', '\0'));
        Assert.Equal("halves", Halves.Status(halves.Keeper, "Name"));
        Assert.Equal("beyla: worker", Halves.Status(halves.Worker, "Name"));
        Assert.Equal(["argument --pid", "argument 1"], halves.Beginning.Take(2));
    }

    /// <summary>However the caller lays its arguments out: no name, one byte, more than a page, nothing else on the stack.</summary>
    [LiveTheory("gcc", "python3")]
    [InlineData("", 0, 0, false)]
    [InlineData("", 0, 1, true)]
    [InlineData("", 1, 1, true)]
    [InlineData("x", 0, 0, false)]
    [InlineData("beyla: workeR", 0, 0, true)]
    [InlineData("beyla", 500, 200, true)]
    public async Task Arguments_arrive_and_only_the_name_is_shown(string name, int arguments, int variables, bool room)
    {
        // By the C library itself: Python refuses an empty name.
        string script = "import ctypes, sys\n"
            + "file, name, count, more = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])\n"
            + "def array(texts): return (ctypes.c_char_p * (len(texts) + 1))(*[text.encode() for text in texts], None)\n"
            + "ctypes.CDLL(None).execve(file.encode(), array([name] + ['--a%d=%s' % (i, 'x' * 900) for i in range(count)]),"
            + " array([('DOTNET_V%d=' if i % 2 else 'V%d=') % i + 'y' * 900 for i in range(more)]))\n";
        await using Halves halves = await Halves.StartAsync(
            ["python3", "-I", "-c", script], [name, $"{arguments}", $"{variables}"]);

        Assert.Equal(
            Enumerable.Range(0, arguments).Select(i => $"argument --a{i}={new string('x', 900)}"), halves.Beginning.Take(arguments));
        // Where there is no room for it, nothing is shown.
        Assert.Equal(
            room ? "beyla: worker" : "", (await File.ReadAllTextAsync($"/proc/{halves.Worker}/cmdline")).Trim(' ', '\0'));
        Assert.DoesNotContain("yy", await File.ReadAllTextAsync($"/proc/{halves.Worker}/environ"), StringComparison.Ordinal);
        Assert.Equal(0, await halves.EndAsync());
    }

    [LiveFact("gcc")]
    public async Task A_keeper_that_is_killed_takes_the_worker_along()
    {
        await using Halves halves = await Halves.StartAsync([]);
        halves.Signal(ChildProcess.SIGKILL);
        Assert.Equal(128 + ChildProcess.SIGKILL, await halves.WaitForExitAsync());
        Assert.True(await Wait.UntilAsync(() => IsGone(halves.Worker), Wait.Hang));
    }

    [LiveFact("gcc")]
    public async Task A_worker_that_is_killed_is_seen_by_the_keeper()
    {
        await using Halves halves = await Halves.StartAsync([]);
        await Tool.RunAsync("kill", "-KILL", $"{halves.Worker}");
        Assert.Equal(128 + ChildProcess.SIGKILL, await halves.WaitForExitAsync());
    }

    /// <summary>signal(7): a child of a process that ignores SIGCHLD leaves no status behind.</summary>
    [LiveFact("gcc", "python3")]
    public async Task A_caller_that_ignores_the_end_of_children_hides_nothing()
    {
        await using Halves halves = await Halves.StartAsync(
            ["python3", "-I", "-c", "import os, signal, sys\n"
                + "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nos.execv(sys.argv[1], sys.argv[1:])"]);
        Assert.Equal(0, await halves.EndAsync());
    }

    /// <summary>A zombie whose parent does not wait, as init of some containers does not, has ended too.</summary>
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
