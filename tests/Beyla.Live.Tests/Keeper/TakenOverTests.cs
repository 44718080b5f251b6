using System.Globalization;
using System.Text;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;
using Beyla.Agent.Tests.Keeper;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Keeper;

/// <summary>A worker that somebody has taken over gets nothing outside the configuration from the real keeper.</summary>
public sealed class TakenOverTests
{
    private const string Secret = "s3cret-of-the-service";
    private const int ESRCH = 3, EINVAL = 22;

    [LiveFact("sleep")]
    public async Task Any_question_gets_maps_executables_and_what_is_configured()
    {
        using OwnProgram sleep = new("sleep");
        await using ChildProcess one = Start(sleep), other = Start(sleep);
        await using TakenOver worker = await TakenOver.StartAsync(AgentSettings.ForPorts(FreePort.Next()));
        Questions questions = new(21, [one.Pid, other.Pid, worker.Agent.Pid, worker.Agent.WorkerPid]);
        Dictionary<string, int> given = [];
        int refused = 0;
        for (int i = 0; i < 100_000; i++)
        {
            byte[] question = questions.Next().ToArray();
            // Probes at places of no meaning are another test's; a message of no bytes is the end of a desk.
            if (question.Length == 0 || (question.Length >= 4 && BitConverter.ToUInt32(question) == (uint)KeeperOperation.AttachGo))
            {
                continue;
            }

            (KeeperReply reply, byte[] text, int[] files) = worker.Ask(question);
            refused += reply.Result < 0 ? 1 : 0;
            Assert.False(text.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Secret)) >= 0);
            foreach (int file in files)
            {
                string kind = Kind(file, worker.Agent.Pid, sleep.Path);
                given[kind] = given.GetValueOrDefault(kind) + 1;
                Assert.True(Descriptor.Close(file));
            }
        }

        Assert.InRange(refused, 10_000, 100_000);
        Assert.Equal(["executable", "iterator", "map", "maps", "socket"], given.Keys.Order());
        await worker.EndAsync();
    }

    [LiveFact("sleep")]
    public async Task Of_processes_it_gets_no_other_file_and_of_the_keeper_none()
    {
        using OwnProgram sleep = new("sleep");
        await using ChildProcess process = Start(sleep);
        await using TakenOver worker = await TakenOver.StartAsync(AgentSettings.ForPorts(FreePort.Next()));
        for (int number = -3; number <= 100; number++)
        {
            KeeperRequest link = new() { Operation = KeeperOperation.ReadLink, Pid = process.Pid, Number = number };
            Assert.Equal(number is 1 or 2 ? 0 : EINVAL, worker.Refusal(link, "environ"));
        }

        string[] keeper = [.. Directory.GetDirectories($"/proc/{worker.Agent.Pid}/task").Select(path => Path.GetFileName(path))];
        Assert.True(keeper.Length > 1);
        foreach (int pid in (int[])[.. keeper.Select(id => int.Parse(id, CultureInfo.InvariantCulture)), 0, -1, int.MinValue, 4194304])
        {
            for (KeeperOperation operation = KeeperOperation.ReadLink; operation <= KeeperOperation.LeadsTo; operation++)
            {
                // Taking off probes names no process.
                if (operation != KeeperOperation.DetachGo)
                {
                    Assert.Equal(ESRCH, worker.Refusal(new KeeperRequest { Operation = operation, Pid = pid, Number = 1, First = 1 }, "/"));
                }
            }
        }

        // What was named is what is opened, whatever is asked beside it.
        KeeperRequest open = new() { Operation = KeeperOperation.OpenExecutable, Pid = process.Pid };
        Assert.Equal(EINVAL, worker.Refusal(open, "/etc/shadow"));
        await worker.EndAsync();
    }

    /// <summary>The worker runs the same file as the keeper: a probe in it would be one in the keeper.</summary>
    [LiveFact("sleep")]
    public async Task It_sets_no_probe_in_the_keepers_code_and_one_elsewhere_goes_with_the_keeper()
    {
        using OwnProgram sleep = new("sleep");
        await using ChildProcess process = Start(sleep);
        await using TakenOver worker = await TakenOver.StartAsync(AgentSettings.ForPorts(FreePort.Next()));
        Name(worker, worker.Agent.WorkerPid);
        KeeperRequest attach = new() { Operation = KeeperOperation.AttachGo, Pid = process.Pid, First = 4096 };
        Assert.Equal(1, worker.Refusal(attach)); // EPERM
        Name(worker, process.Pid);
        Assert.Equal(0, worker.Refusal(attach));
        Assert.NotEqual(0, worker.Refusal(attach with { First = long.MaxValue }));
        Assert.Equal(EINVAL, worker.Refusal(attach with { First = -1 }));
        await worker.EndAsync();
    }

    [LiveFact]
    public async Task Paths_lead_nowhere_outside_the_control_groups()
    {
        AgentSettings settings = AgentSettings.ForPorts(FreePort.Next()).With("BEYLA_BPF_CONTEXT_PROPAGATION", "all");
        await using TakenOver worker = await TakenOver.StartAsync(settings);
        KeeperRequest include = new() { Operation = KeeperOperation.IncludeGroup };
        foreach (string path in (string[])["", "etc", "..", "/..", "/../..", "/../../etc", "/a/../../../etc", "/a\0", "/a/..", "../etc"])
        {
            Assert.NotEqual(0, worker.Refusal(include, path));
        }

        // Bounded and below the mount, but no group: said, and nothing is attached.
        int links = BpfFootprint.Of(worker.Agent.Pid).Links.Count;
        foreach (string path in (string[])["/no-such-group", "/...", "/" + new string('x', 4000), "/cgroup.procs", "/./no-such-group"])
        {
            (KeeperReply reply, _, _) = worker.Ask(include, Encoding.UTF8.GetBytes(path));
            Assert.Equal(0, reply.Result);
        }

        Assert.Equal(links, BpfFootprint.Of(worker.Agent.Pid).Links.Count);
        await worker.EndAsync();
    }

    private static ChildProcess Start(OwnProgram sleep) =>
        ChildProcess.Start(sleep.Path, ["300"], [new("SECRET", Secret), new("OTEL_EXPORTER_OTLP_HEADERS", Secret)]);

    private static void Name(TakenOver worker, int pid) =>
        Assert.Equal(0, worker.Refusal(new KeeperRequest { Operation = KeeperOperation.NameExecutable, Pid = pid }));

    /// <summary>What a descriptor is; fails for anything that the list has not.</summary>
    private static string Kind(int file, int keeper, string program)
    {
        string target = new FileInfo($"/proc/self/fd/{file}").LinkTarget ?? "";
        string kind = target switch
        {
            "anon_inode:bpf-map" => "map",
            "anon_inode:bpf_iter" or "anon_inode:[bpf_iter]" => "iterator",
            _ when target.StartsWith("socket:[", StringComparison.Ordinal) => "socket",
            _ when target.StartsWith("/proc/", StringComparison.Ordinal) && target.EndsWith("/maps", StringComparison.Ordinal) => "maps",
            _ when target == program || target == Repository.Agent || IsExecutableOfAProcess(target) => "executable",
            _ => "",
        };
        Assert.True(kind.Length > 0, $"the keeper gave {target}");
        Assert.False(kind == "maps" && target.Split('/')[2] == keeper.ToString(CultureInfo.InvariantCulture));
        return kind;
    }

    /// <summary>A few of the numbers that are tried are processes of the machine, such as 1.</summary>
    private static bool IsExecutableOfAProcess(string target) => Directory.GetDirectories("/proc")
        .Any(process => int.TryParse(Path.GetFileName(process), out _) && new FileInfo(process + "/exe").LinkTarget == target);
}
