using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Keeper;

/// <summary>What the worker has when its main begins (capabilities(7), credentials(7), proc(5)).</summary>
public sealed class WorkerTests
{
    private const string None = "0000000000000000";

    private static readonly string[] Sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

    [LiveFact("gcc")]
    public async Task Started_by_root_it_is_nobody_and_holds_nothing()
    {
        await using Halves halves = await Halves.StartAsync([]);
        Assert.All(Sets, set => Assert.Equal(None, Halves.Status(halves.Worker, set)));
        Assert.Equal("65534\t65534\t65534\t65534", Halves.Status(halves.Worker, "Uid"));
        Assert.Equal("65534\t65534\t65534\t65534", Halves.Status(halves.Worker, "Gid"));
        Assert.Equal("", Halves.Status(halves.Worker, "Groups"));
        Assert.Equal("1", Halves.Status(halves.Worker, "NoNewPrivs"));
        Assert.NotEqual(None, Halves.Status(halves.Keeper, "CapPrm"));
        Assert.Equal("0", Halves.Status(halves.Keeper, "NoNewPrivs"));
    }

    /// <summary>proc(5): what a process that is not dumpable has in /proc belongs to root.</summary>
    [LiveFact("gcc", "python3")]
    public async Task Neither_is_dumpable()
    {
        await using Halves halves = await Halves.StartAsync(["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups"]);
        Assert.Equal("1234\t1234\t1234\t1234", Halves.Status(halves.Worker, "Uid"));
        foreach (int pid in (int[])[halves.Keeper, halves.Worker])
        {
            Assert.Equal("0", (await Tool.RunAsync("stat", "-c", "%u", $"/proc/{pid}/mem")).Trim());
            await Assert.ThrowsAsync<InvalidOperationException>(() => Tool.RunAsync(
                "setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", "cat", $"/proc/{pid}/environ"));
        }
    }

    [LiveFact("gcc", "setcap", "setpriv")]
    public async Task An_ordinary_users_worker_stays_that_user_without_the_files_capabilities()
    {
        using TempDirectory directory = new();
        string copy = Path.Combine(directory.Path, "halves");
        File.Copy(await Halves.Program, copy);
        await Tool.RunAsync("setcap", "cap_bpf,cap_perfmon=p", copy);
        await using Halves halves = await Halves.StartAsync(
            ["setpriv", "--reuid=1234", "--regid=1234", "--groups=1234,1235", "--inh-caps=-all"], program: copy);
        Assert.All(
            Sets.Except(["CapBnd"]), set => Assert.Equal(None, Halves.Status(halves.Worker, set)));
        Assert.Equal("1234\t1234\t1234\t1234", Halves.Status(halves.Worker, "Uid"));
        Assert.Equal("1234 1235", Halves.Status(halves.Worker, "Groups"));
        Assert.Equal("1", Halves.Status(halves.Worker, "NoNewPrivs"));

        // CAP_PERFMON is 38, CAP_BPF 39 (include/uapi/linux/capability.h).
        Assert.Equal("000000c000000000", Halves.Status(halves.Keeper, "CapPrm"));
    }

    [LiveTheory("gcc", "setpriv")]
    [InlineData("-setuid", "0", "65534")]
    [InlineData("-setgid", "65534", "0")]
    [InlineData("-setuid,-setgid", "0", "0")]
    [InlineData("-setpcap", "65534", "65534")]
    public async Task Root_in_a_container_leaves_what_it_can(string bounding, string user, string group)
    {
        await using Halves halves = await Halves.StartAsync(["setpriv", $"--bounding-set={bounding}", "--inh-caps=-all"]);
        Assert.All(Sets.Except(["CapBnd"]), set => Assert.Equal(None, Halves.Status(halves.Worker, set)));
        Assert.StartsWith(user + "\t", Halves.Status(halves.Worker, "Uid"), StringComparison.Ordinal);
        Assert.StartsWith(group + "\t", Halves.Status(halves.Worker, "Gid"), StringComparison.Ordinal);
    }

    /// <summary>The numbers of /etc/passwd on Debian (base-passwd); one without an entry is its own group.</summary>
    [LiveTheory("gcc")]
    [InlineData("daemon", 1, 1)]
    [InlineData("sync", 4, 65534)]
    [InlineData("4", 4, 65534)]
    [InlineData("54321", 54321, 54321)]
    public async Task Root_chooses_its_user(string name, int user, int group)
    {
        await using Halves halves = await Halves.StartAsync(["env", $"BEYLA_WORKER_USER={name}"]);
        Assert.Equal($"{user}\t{user}\t{user}\t{user}", Halves.Status(halves.Worker, "Uid"));
        Assert.Equal($"{group}\t{group}\t{group}\t{group}", Halves.Status(halves.Worker, "Gid"));
        Assert.Equal("", Halves.Status(halves.Worker, "Groups"));
        Assert.All(Sets, set => Assert.Equal(None, Halves.Status(halves.Worker, set)));
        Assert.Equal("0", (await Tool.RunAsync("stat", "-c", "%u", $"/proc/{halves.Worker}/mem")).Trim()); // not dumpable
        Assert.Equal("0\t0\t0\t0", Halves.Status(halves.Keeper, "Uid"));
    }

    /// <summary>Exit code 2, bad usage, before there are two processes; no byte of the name steers a terminal.</summary>
    [LiveTheory("gcc")]
    [InlineData("root", "own the files of the system")]
    [InlineData("0", "own the files of the system")]
    [InlineData("4294967295", "below 4294967295")]
    [InlineData("4294967296", "below 4294967295")]
    [InlineData("99999999999999999999", "below 4294967295")]
    [InlineData("no-such-user", "no such user in /etc/passwd")]
    [InlineData("-1", "no such user in /etc/passwd")]
    [InlineData("\e[31m", "=?[31m: no such user in /etc/passwd")]
    public async Task A_user_that_is_none_is_an_error(string name, string reason)
    {
        await using ChildProcess process = ChildProcess.Start(
            Tool.Find("env"), [$"BEYLA_WORKER_USER={name}", await Halves.Program]);
        Assert.Equal(2, await process.WaitForExitAsync(Wait.Hang));
        Assert.Contains(reason, Assert.Single(process.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("", process.Output);
    }

    /// <summary>Asked for, it is not left out silently as nobody is.</summary>
    [LiveTheory("gcc", "setpriv")]
    [InlineData("-setuid", "become BEYLA_WORKER_USER (CAP_SETUID)")]
    [InlineData("-setgid", "(CAP_SETGID)")]
    public async Task A_user_that_it_may_not_become_is_an_error(string bounding, string reason)
    {
        await using ChildProcess process = ChildProcess.Start(
            Tool.Find("setpriv"),
            [$"--bounding-set={bounding}", "--inh-caps=-all", "env", "BEYLA_WORKER_USER=daemon", await Halves.Program]);
        Assert.Equal(1, await process.WaitForExitAsync(Wait.Hang));
        Assert.Contains(reason, process.Errors, StringComparison.Ordinal);
    }

    [LiveFact("gcc", "setpriv")]
    public async Task Whoever_is_not_root_stays_who_he_is()
    {
        await using Halves halves = await Halves.StartAsync(
            ["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", "env", "BEYLA_WORKER_USER=daemon"]);
        Assert.Equal("1234\t1234\t1234\t1234", Halves.Status(halves.Worker, "Uid"));
    }

    /// <summary>user_namespaces(7): no other user exists in it, and groups cannot be set.</summary>
    [LiveFact("gcc", "unshare")]
    public async Task It_starts_in_a_user_namespace_of_one_user()
    {
        await using Halves halves = await Halves.StartAsync(["unshare", "--user", "--map-root-user"]);
        Assert.All(Sets.Except(["CapBnd"]), set => Assert.Equal(None, Halves.Status(halves.Worker, set)));
        Assert.Equal("1", Halves.Status(halves.Worker, "NoNewPrivs"));
        Assert.Equal(0, await halves.EndAsync());
    }

    [LiveFact("gcc")]
    public async Task What_the_caller_left_open_is_closed()
    {
        await using Halves halves = await Halves.StartAsync(
            [Tool.Find("sh"), "-c", "exec 3</etc/passwd 5</etc/hosts 9>/dev/null; exec \"$@\"", "sh"]);
        Assert.Contains("descriptors 0 1 2 3 4 channel 3", halves.Beginning);
        string keeper = $"/proc/{halves.Keeper}/fd";
        Assert.Equal("/etc/passwd", new FileInfo($"{keeper}/3").LinkTarget);
        Assert.StartsWith("socket:", new FileInfo($"/proc/{halves.Worker}/fd/3").LinkTarget, StringComparison.Ordinal);
    }
}
