using System.Globalization;
using Beyla.Agent.Linux.SystemCalls;

namespace Beyla.Agent.Tests.Linux.SystemCalls;

/// <summary>
/// What the worker's filter answers. Numbers are those of arch/x86/entry/syscalls/syscall_64.tbl, constants those of the headers.
/// </summary>
public sealed class FilterProgramTests
{
    private const int Self = 4711, Life = 4;

    // include/uapi/linux/seccomp.h: SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS; SECCOMP_RET_ERRNO with EPERM and with ENOSYS.
    private const uint Allow = 0x7FFF0000, Kill = 0x80000000, Refuse = 0x00050001, Unknown = 0x00050026;

    [Theory]
    [InlineData("read 0")]
    [InlineData("write 1 1")]
    [InlineData("futex 202")]
    [InlineData("recvmsg 47")]
    [InlineData("mmap 9 0 4096 3 34")] // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS
    [InlineData("mmap 9 0 4096 3 1 5")] // MAP_SHARED: a ring
    [InlineData("mprotect 10 0 4096 3")]
    [InlineData("clone 56 0x3d0f00")] // pthread_create of glibc: CLONE_THREAD and what belongs to it
    [InlineData("socket 41 16 0x80003 0")] // AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE
    [InlineData("tgkill 234 4711 4712 6")]
    [InlineData("kill 62 4711 6")]
    [InlineData("ioctl 16 0 0x5401")] // TCGETS
    [InlineData("fcntl 72 1 3")] // F_GETFL
    [InlineData("prctl 157 15")] // PR_SET_NAME
    [InlineData("prctl 157 4 0")] // PR_SET_DUMPABLE, no
    [InlineData("prlimit64 302 0 9 0 0x7fff0000")] // RLIMIT_AS, read
    [InlineData("sched_setscheduler 144 0 3")]
    [InlineData("exit_group 231")]
    [InlineData("close 3 3")]
    [InlineData("close 3 0x400000000")] // an int is 32 bits: 0
    [InlineData("dup 32 4")] // a copy that is closed takes nothing away
    [InlineData("dup2 33 4 5")]
    [InlineData("dup3 292 5 3 0x80000")]
    public void The_work_is_allowed(string call) => Assert.Equal(Allow, Run(WorkerNeeds.None, call));

    [Theory]
    [InlineData("mmap 9 0 4096 7 34")] // PROT_READ | PROT_WRITE | PROT_EXEC
    [InlineData("mmap 9 0 4096 5 2 3")] // PROT_READ | PROT_EXEC of a file
    [InlineData("mmap 9 0 4096 4 34")]
    [InlineData("mprotect 10 0 4096 5")]
    [InlineData("mprotect 10 0 4096 4")]
    [InlineData("pkey_mprotect 329 0 4096 5 0")]
    [InlineData("remap_file_pages 216")]
    [InlineData("clone 56 0x1200011")] // fork of glibc: CHILD_SETTID, CHILD_CLEARTID, SIGCHLD
    [InlineData("clone 56 0x4111")] // posix_spawn: VM, VFORK, SIGCHLD
    [InlineData("clone 56 0x10010f00")] // THREAD with NEWUSER
    [InlineData("clone 56 0x12f00")] // THREAD with PTRACE
    [InlineData("socket 41 17 3 0x300")] // AF_PACKET
    [InlineData("socket 41 2 1 6")] // AF_INET: nobody asked for a connection
    [InlineData("socket 41 1 1 0")]
    [InlineData("socket 41 16 3 12")] // NETLINK_NETFILTER
    [InlineData("socket 41 38 5 0")] // AF_ALG
    [InlineData("socket 41 40 1 0")] // AF_VSOCK
    [InlineData("connect 42")]
    [InlineData("listen 50")]
    [InlineData("setsockopt 54 5 1 50")] // SO_ATTACH_BPF
    [InlineData("setsockopt 54 5 1 26")] // SO_ATTACH_FILTER
    [InlineData("kill 62 1 9")]
    [InlineData("kill 62 0xffffffffffffffff 9")] // all processes
    [InlineData("kill 62 0 9")] // the process group
    [InlineData("tgkill 234 1 1 9")]
    [InlineData("tkill 200 1 9")]
    [InlineData("rt_sigqueueinfo 129 1 9")]
    [InlineData("ioctl 16 0 0x5412")] // TIOCSTI
    [InlineData("fcntl 72 1 8 1")] // F_SETOWN
    [InlineData("fcntl 72 1 1024 1")] // F_SETLEASE
    [InlineData("fcntl 72 4 4 0")] // F_SETFL without O_ASYNC: the pipe of the keeper's life would be silent
    [InlineData("fcntl 72 9 4 0")] // by a copy
    [InlineData("fcntl 72 4 10 0")] // F_SETSIG
    [InlineData("ioctl 16 4 0x5452")] // FIOASYNC
    [InlineData("close 3 4")]
    [InlineData("close 3 0xffffffff00000004")]
    [InlineData("dup2 33 1 4")]
    [InlineData("dup3 292 1 4 0")]
    [InlineData("prctl 157 4 1")] // PR_SET_DUMPABLE, yes
    [InlineData("prctl 157 1 0")] // PR_SET_PDEATHSIG
    [InlineData("prctl 157 0x59616d61 1")] // PR_SET_PTRACER
    [InlineData("prctl 157 22 2")] // PR_SET_SECCOMP
    [InlineData("prlimit64 302 0 7 0x7fff0000 0")] // RLIMIT_NOFILE, set
    [InlineData("prlimit64 302 0 7 0x100000000 0")] // the address of new limits in the upper word alone
    [InlineData("prlimit64 302 1 7 0 0x7fff0000")] // of another process
    [InlineData("setuid 105 0")]
    [InlineData("setresuid 117 0 0 0")]
    [InlineData("unlink 87")]
    [InlineData("rename 82")]
    [InlineData("mkdir 83")]
    [InlineData("chmod 90")]
    [InlineData("seccomp 317 1")]
    [InlineData("nothing 400")]
    public void The_rest_fails(string call) => Assert.Equal(Refuse, Run(WorkerNeeds.None, call));

    /// <summary>The C library calls clone where clone3 is unknown to the kernel; of a refusal it would make an error.</summary>
    [Theory]
    [InlineData("clone3 435")]
    [InlineData("close_range 436 3 9")]
    [InlineData("epoll_pwait2 441")]
    [InlineData("landlock_create_ruleset 444")]
    [InlineData("memfd_secret 447")]
    [InlineData("cachestat 451")]
    [InlineData("of a kernel to come 700")]
    public void What_came_late_is_unknown(string call) => Assert.Equal(Unknown, Run(WorkerNeeds.None, call));

    [Theory]
    [InlineData("execve 59")]
    [InlineData("execveat 322")]
    [InlineData("fork 57")]
    [InlineData("vfork 58")]
    [InlineData("ptrace 101")]
    [InlineData("process_vm_readv 310")]
    [InlineData("process_vm_writev 311")]
    [InlineData("pidfd_getfd 438")]
    [InlineData("bpf 321")]
    [InlineData("perf_event_open 298")]
    [InlineData("init_module 175")]
    [InlineData("finit_module 313")]
    [InlineData("delete_module 176")]
    [InlineData("kexec_load 246")]
    [InlineData("userfaultfd 323")]
    [InlineData("io_uring_setup 425")]
    [InlineData("mount 165")]
    [InlineData("fsopen 430")]
    [InlineData("open_by_handle_at 304")]
    [InlineData("setns 308")]
    [InlineData("unshare 272")]
    [InlineData("keyctl 250")]
    [InlineData("personality 135")]
    [InlineData("reboot 169")]
    public void What_only_an_attacker_calls_ends_the_process(string call)
    {
        Assert.All(
            (WorkerNeeds[])[WorkerNeeds.None, WorkerNeeds.Names, WorkerNeeds.Names | WorkerNeeds.Network],
            needs => Assert.Equal(Kill, Run(needs, call)));
    }

    [Theory]
    [InlineData(WorkerNeeds.Names, "socket 41 1 1 0", Allow)]
    [InlineData(WorkerNeeds.Names, "socket 41 2 2 0", Allow)]
    [InlineData(WorkerNeeds.Names, "socket 41 10 2 0", Allow)]
    [InlineData(WorkerNeeds.Names, "socket 41 17 3 0x300", Refuse)]
    [InlineData(WorkerNeeds.Names, "connect 42", Allow)]
    [InlineData(WorkerNeeds.Names, "setsockopt 54 5 0 11", Allow)] // IP_RECVERR
    [InlineData(WorkerNeeds.Names, "setsockopt 54 5 6 31", Refuse)] // TCP_ULP
    [InlineData(WorkerNeeds.Names, "listen 50", Refuse)]
    [InlineData(WorkerNeeds.Network, "listen 50", Allow)]
    [InlineData(WorkerNeeds.Network, "accept4 288", Allow)]
    [InlineData(WorkerNeeds.Network, "setsockopt 54 5 6 1", Allow)] // TCP_NODELAY
    [InlineData(WorkerNeeds.Network, "setsockopt 54 5 1 50", Refuse)]
    [InlineData(WorkerNeeds.Names, "mmap 9 0 4096 5 2 3", Allow)] // a library: PROT_READ | PROT_EXEC, MAP_PRIVATE, a file
    [InlineData(WorkerNeeds.Names, "mmap 9 0 4096 5 34", Refuse)] // no file
    [InlineData(WorkerNeeds.Names, "mmap 9 0 4096 7 2 3", Refuse)] // to be written too
    [InlineData(WorkerNeeds.Names, "mprotect 10 0 4096 5", Refuse)]
    public void A_need_allows_what_it_takes(WorkerNeeds needs, string call, uint answer) => Assert.Equal(answer, Run(needs, call));

    /// <summary>seccomp(2), "must check the arch value": numbers mean other calls for other conventions of the same processor.</summary>
    [Fact]
    public void Other_conventions_end_the_process()
    {
        var program = FilterProgram.Make(SystemCallTable.Make(WorkerNeeds.None, Self, Life));
        Assert.Equal(Kill, FilterMachine.Run(program, 0, FilterMachine.I386));
        Assert.Equal(Kill, FilterMachine.Run(program, 3, 0xC00000B7)); // AUDIT_ARCH_AARCH64
        Assert.Equal(Kill, FilterMachine.Run(program, 0x40000000, FilterMachine.X86_64)); // __X32_SYSCALL_BIT
        Assert.Equal(Kill, FilterMachine.Run(program, 0x40000000 + 520, FilterMachine.X86_64)); // x32's execve
        Assert.Equal(Kill, FilterMachine.Run(program, uint.MaxValue, FilterMachine.X86_64));
    }

    /// <summary>include/uapi/linux/bpf_common.h, BPF_MAXINSNS; a jump is a byte long and leads inside.</summary>
    [Fact]
    public void The_program_is_one_that_the_kernel_takes()
    {
        var program = FilterProgram.Make(SystemCallTable.Make(WorkerNeeds.Names | WorkerNeeds.Network, Self, Life));
        Assert.InRange(program.Length, 1, 4096);
        Assert.Equal(0x06, program[^1].Code);
        for (var i = 0; i < program.Length; i++)
        {
            Assert.True(i + 1 + Math.Max(program[i].True, program[i].False) < program.Length || program[i].Code == 0x06);
        }
    }

    [Fact]
    public void Each_call_has_one_rule()
    {
        var rules = SystemCallTable.Make(WorkerNeeds.Names | WorkerNeeds.Network, Self, Life);
        Assert.Equal(rules.Count, rules.DistinctBy(static rule => rule.Number).Count());
        Assert.Equal(rules.Count, rules.DistinctBy(static rule => rule.Name).Count());
    }

    /// <summary>A call as a line: its name (for the reader), its number, its arguments.</summary>
    private static uint Run(WorkerNeeds needs, string call)
    {
        var words = call.Split(' ').SkipWhile(static word => !char.IsAsciiDigit(word[0])).Select(Number).ToArray();
        var program = FilterProgram.Make(SystemCallTable.Make(needs, Self, Life));
        return FilterMachine.Run(program, (uint)words[0], FilterMachine.X86_64, words[1..]);
    }

    private static ulong Number(string text) => text.StartsWith("0x", StringComparison.Ordinal)
        ? ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        : ulong.Parse(text, CultureInfo.InvariantCulture);
}
