using System.Globalization;
using System.Runtime.InteropServices;
using Beyla.Agent.Linux.SystemCalls;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Keeper;

/// <summary>The filter of system calls in the kernel: a worker installs the agent's program and then calls what is forbidden.</summary>
public sealed class SystemCallFilterTests
{
    private const int EPERM = 1, ENOSYS = 38, SIGSYS = 31, SIGABRT = 6, Life = 4;

    /// <summary>Numbers of the table against those of the kernel's headers, of which gcc makes them.</summary>
    [LiveFact("gcc")]
    public async Task Names_and_numbers_are_the_kernels()
    {
        using TempDirectory directory = new();
        IReadOnlyList<SystemCallRule> rules = SystemCallTable.Make(WorkerNeeds.Names | WorkerNeeds.Network, 1, 4);
        string source = directory.Write("numbers.c", "#include <sys/syscall.h>\n#include <stdio.h>\nint main(void) {\n"
            + string.Concat(rules.Select(rule => $"printf(\"{rule.Name} %d\\n\", SYS_{rule.Name});\n")) + "return 0; }\n");
        string binary = Path.Combine(directory.Path, "numbers");
        await Tool.RunAsync("gcc", "-o", binary, source);
        Assert.Equal(
            rules.Select(rule => $"{rule.Name} {rule.Number.ToString(CultureInfo.InvariantCulture)}"),
            (await Tool.RunAsync(binary)).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [LiveTheory("gcc")]
    [InlineData("59", "execve")]
    [InlineData("322", "execveat")]
    [InlineData("57", "fork")]
    [InlineData("101 0", "ptrace")]
    [InlineData("310", "process_vm_readv")]
    [InlineData("311", "process_vm_writev")]
    [InlineData("438", "pidfd_getfd")]
    [InlineData("321", "bpf")]
    [InlineData("298", "perf_event_open")]
    [InlineData("165", "mount")]
    [InlineData("428", "open_tree")]
    [InlineData("175", "init_module")]
    [InlineData("313", "finit_module")]
    [InlineData("176", "delete_module")]
    [InlineData("246", "kexec_load")]
    [InlineData("250 0", "keyctl")]
    [InlineData("248", "add_key")]
    [InlineData("249", "request_key")]
    [InlineData("323", "userfaultfd")]
    [InlineData("425", "io_uring_setup")]
    [InlineData("308", "setns")]
    [InlineData("272 0x10000000", "unshare a user namespace")]
    [InlineData("304", "open_by_handle_at")]
    [InlineData("135 0xffffffff", "personality")]
    [InlineData("167", "swapon")]
    [InlineData("163", "acct")]
    [InlineData("179", "quotactl")]
    [InlineData("1073741824", "read of the x32 convention")]
    public async Task An_attackers_call_ends_the_worker(string call, string name)
    {
        await using Halves halves = await FilteredAsync(WorkerNeeds.Names | WorkerNeeds.Network);
        Assert.True(await halves.AskAsync($"call {call}") is null, name);
        Assert.Equal(128 + SIGSYS, await halves.WaitForExitAsync());
    }

    [LiveTheory("gcc")]
    [InlineData("9 0 4096 7 34 -1 0", 0, EPERM)] // mmap: PROT_READ | PROT_WRITE | PROT_EXEC of no file
    [InlineData("9 0 4096 3 34 -1 0", 0, 0)] // mmap: PROT_READ | PROT_WRITE
    [InlineData("56 17 0 0 0 0", null, EPERM)] // clone: SIGCHLD, a process (that would go on with the same input)
    [InlineData("435 0 0", 22, ENOSYS)] // clone3, EINVAL for no arguments
    [InlineData("41 2 1 0", 0, EPERM)] // socket: AF_INET, SOCK_STREAM
    [InlineData("41 1 1 0", 0, EPERM)] // socket: AF_UNIX
    [InlineData("41 16 3 0", 0, 0)] // socket: AF_NETLINK, NETLINK_ROUTE
    [InlineData("41 16 3 4", 0, EPERM)] // socket: AF_NETLINK, NETLINK_SOCK_DIAG
    [InlineData("157 4 1", null, EPERM)] // prctl: PR_SET_DUMPABLE
    [InlineData("157 1 0", null, EPERM)] // prctl: PR_SET_PDEATHSIG, so that it would outlive the keeper
    [InlineData("157 3", 0, 0)] // prctl: PR_GET_DUMPABLE
    [InlineData("62 0 0", 0, EPERM)] // kill: whether there is somebody in the process group
    [InlineData("39", 0, 0)] // getpid
    [InlineData("302 0 7 0 0", 0, 0)] // prlimit64, nothing read or set
    [InlineData("117 -1 -1 -1", 0, EPERM)] // setresuid, nothing changed
    [InlineData("95 0x3f", 0, EPERM)] // umask
    public async Task What_is_refused_worked_before(string call, int? before, int after)
    {
        await using Halves halves = await Halves.StartAsync([]);
        if (before is { } expected)
        {
            Assert.Equal(expected, await halves.AskAsync($"call {call}"));
        }

        Assert.Equal(0, await halves.AskAsync($"filter {Digits(WorkerNeeds.None, halves.Worker)}"));
        Assert.Equal(after, await halves.AskAsync($"call {call}"));
        Assert.Equal("2", Halves.Status(halves.Worker, "Seccomp")); // proc(5): SECCOMP_MODE_FILTER
        Assert.Equal(0, await halves.EndAsync());
    }

    [LiveFact("gcc")]
    public async Task It_binds_threads_that_were_there_before()
    {
        await using Halves halves = await Halves.StartAsync([]);
        Assert.Equal(0, await halves.AskAsync("elsewhere 41 2 1 0"));
        Assert.Equal(0, await halves.AskAsync($"filter {Digits(WorkerNeeds.None, halves.Worker)}"));
        Assert.Equal(EPERM, await halves.AskAsync("elsewhere 41 2 1 0"));
        Assert.Equal(0, await halves.AskAsync("thread"));
        Assert.Null(await halves.AskAsync("elsewhere 59"));
        Assert.Equal(128 + SIGSYS, await halves.WaitForExitAsync());
    }

    /// <summary>A crash must end it, and be seen as what it is.</summary>
    [LiveFact("gcc")]
    public async Task It_can_still_abort()
    {
        await using Halves halves = await FilteredAsync(WorkerNeeds.None);
        Assert.Null(await halves.AskAsync("abort"));
        Assert.Equal(128 + SIGABRT, await halves.WaitForExitAsync());
    }

    /// <summary>The filter cannot be taken back, nor widened by a second one.</summary>
    [LiveFact("gcc")]
    public async Task It_stays()
    {
        await using Halves halves = await FilteredAsync(WorkerNeeds.None);
        Assert.Equal(EPERM, await halves.AskAsync($"filter {Digits(WorkerNeeds.Network, halves.Worker)}"));
        Assert.Equal(EPERM, await halves.AskAsync("call 41 2 1 0"));
    }

    /// <summary>
    /// The end of the keeper kills the worker by a pipe where the keeper may not signal it (root without CAP_KILL, its worker nobody). Each
    /// of these calls makes the pipe silent without the filter.
    /// </summary>
    [LiveTheory("gcc", "setpriv")]
    [InlineData("call 3 4")] // close
    [InlineData("call 436 4 4 0")] // close_range
    [InlineData("call 33 1 4")] // dup2
    [InlineData("call 292 1 4 0")] // dup3
    [InlineData("call 72 4 4 0")] // fcntl: F_SETFL without O_ASYNC
    [InlineData("call 72 4 0 60", "call 72 60 4 0")] // the same by a copy (F_DUPFD)
    [InlineData("call 72 4 8 0")] // fcntl: F_SETOWN
    public async Task What_would_disarm_the_end_with_the_keeper_is_refused(params string[] calls)
    {
        foreach (bool filtered in (bool[])[false, true])
        {
            await using Halves halves = await Halves.StartAsync(["setpriv", "--bounding-set=-kill", "--inh-caps=-all"]);
            Assert.Equal("65534\t65534\t65534\t65534", Halves.Status(halves.Worker, "Uid"));
            if (filtered)
            {
                string program = Digits(WorkerNeeds.Names | WorkerNeeds.Network, halves.Worker);
                Assert.Equal(0, await halves.AskAsync($"filter {program}"));
            }

            List<int?> answers = [];
            foreach (string call in calls)
            {
                answers.Add(await halves.AskAsync(call));
            }

            Assert.Equal(!filtered, answers.TrueForAll(answer => answer == 0));
            halves.Signal(9);
            if (filtered)
            {
                Assert.True(await Wait.UntilAsync(() => IsGone(halves.Worker), Wait.Hang));
            }
            else
            {
                Assert.True(await Wait.UntilAsync(() => Halves.Status(halves.Worker, "PPid") != $"{halves.Keeper}", Wait.Hang));
                Assert.False(await Wait.UntilAsync(() => IsGone(halves.Worker), TimeSpan.FromMilliseconds(200)));
                await halves.EndAsync();
                Assert.True(await Wait.UntilAsync(() => IsGone(halves.Worker), Wait.Hang));
            }
        }
    }

    private static bool IsGone(int pid) => !File.Exists($"/proc/{pid}/status") || Halves.Status(pid, "State").StartsWith('Z');

    private static async Task<Halves> FilteredAsync(WorkerNeeds needs)
    {
        Halves halves = await Halves.StartAsync([]);
        Assert.Equal(0, await halves.AskAsync($"filter {Digits(needs, halves.Worker)}"));
        return halves;
    }

    private static string Digits(WorkerNeeds needs, int self)
    {
        FilterInstruction[] program = FilterProgram.Make(SystemCallTable.Make(needs, self, Life));
        return Convert.ToHexString(MemoryMarshal.AsBytes<FilterInstruction>(program));
    }
}
