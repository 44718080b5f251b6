namespace Beyla.Agent.Linux.SystemCalls;

/// <summary>
/// The system calls of the worker: what the runtime, the C library and the agent's own code were seen to call under load, at the end, in a
/// crash and while they look names up, and what stands beside it in the same code. docs/security.md says what is refused, and how.
/// </summary>
internal static partial class SystemCallTable
{
    /// <summary>The rules for a worker.</summary>
    /// <param name="needs">What it does besides reading and printing.</param>
    /// <param name="self">Its process id: the only one to which it may send signals.</param>
    /// <param name="life">The descriptor whose end kills the process, and which it therefore may not close.</param>
    public static IReadOnlyList<SystemCallRule> Make(WorkerNeeds needs, int self, int life)
    {
        var rules = new List<SystemCallRule>();
        rules.AddRange(Conditional(needs, self));
        rules.AddRange(Lasting(life));
        rules.AddRange(Always.Select(static call => new SystemCallRule(call.Name, call.Number, Verdict.Allow, [])));
        if (needs != WorkerNeeds.None)
        {
            rules.AddRange(Connecting.Select(static call => new SystemCallRule(call.Name, call.Number, Verdict.Allow, [])));
        }

        if (needs.HasFlag(WorkerNeeds.Network))
        {
            rules.AddRange(Serving.Select(static call => new SystemCallRule(call.Name, call.Number, Verdict.Allow, [])));
        }

        rules.AddRange(Deadly.Select(static call => new SystemCallRule(call.Name, call.Number, Verdict.Kill, [])));
        return rules;
    }

    private static readonly (string Name, int Number)[] Always =
    [
        // Files: none can be opened for more than Landlock allows; openat2 hides its flags from a filter and is no more than openat.
        ("read", 0), ("write", 1), ("open", 2), ("stat", 4), ("fstat", 5), ("lstat", 6), ("poll", 7), ("lseek", 8),
        ("pread64", 17), ("pwrite64", 18), ("readv", 19), ("writev", 20), ("access", 21), ("dup", 32), ("flock", 73),
        ("ftruncate", 77), ("getcwd", 79), ("readlink", 89), ("statfs", 137), ("fstatfs", 138), ("fgetxattr", 193), ("getdents64", 217),
        ("fadvise64", 221), ("openat", 257), ("newfstatat", 262), ("readlinkat", 267), ("faccessat", 269), ("pipe2", 293),
        ("preadv", 295), ("pwritev", 296), ("memfd_create", 319), ("preadv2", 327), ("pwritev2", 328), ("statx", 332),
        ("openat2", 437), ("faccessat2", 439),

        // Waiting and time. restart_syscall is how the kernel goes on with a wait that a signal of no handler interrupted.
        ("nanosleep", 35), ("gettimeofday", 96), ("times", 100), ("futex", 202), ("restart_syscall", 219), ("clock_gettime", 228),
        ("clock_getres", 229), ("clock_nanosleep", 230), ("epoll_wait", 232), ("epoll_ctl", 233), ("ppoll", 271), ("epoll_pwait", 281),
        ("timerfd_create", 283), ("timerfd_settime", 286), ("eventfd2", 290), ("epoll_create1", 291), ("pidfd_open", 434),

        // Memory; what could make code of it is under conditions.
        ("munmap", 11), ("brk", 12), ("mremap", 25), ("madvise", 28), ("get_mempolicy", 239), ("membarrier", 324),

        // Threads, signals and the end: abort(3) blocks, raises, sets the default and raises again.
        ("rt_sigaction", 13), ("rt_sigprocmask", 14), ("rt_sigreturn", 15), ("sched_yield", 24), ("exit", 60), ("rt_sigpending", 127),
        ("rt_sigtimedwait", 128), ("rt_sigsuspend", 130), ("sigaltstack", 131), ("gettid", 186), ("sched_getaffinity", 204),
        ("set_tid_address", 218), ("exit_group", 231), ("set_robust_list", 273), ("getcpu", 309), ("rseq", 334),

        // What this process is. capset takes nothing that is not permitted, and nothing is.
        ("getpid", 39), ("uname", 63), ("getrlimit", 97), ("getrusage", 98), ("sysinfo", 99), ("getuid", 102), ("getgid", 104),
        ("geteuid", 107), ("getegid", 108), ("getppid", 110), ("getpgrp", 111), ("getgroups", 115), ("getresuid", 118),
        ("getresgid", 120), ("capget", 125), ("capset", 126), ("sched_getparam", 143), ("sched_getscheduler", 145),
        ("sched_get_priority_max", 146), ("sched_get_priority_min", 147), ("getrandom", 318),

        // The channel to the keeper, and netlink.
        ("sendto", 44), ("recvfrom", 45), ("sendmsg", 46), ("recvmsg", 47), ("shutdown", 48), ("bind", 49), ("getsockname", 51),
        ("getpeername", 52), ("getsockopt", 55), ("recvmmsg", 299), ("sendmmsg", 307),
    ];

    private static readonly (string Name, int Number)[] Connecting = [("connect", 42)];

    private static readonly (string Name, int Number)[] Serving = [("listen", 50), ("accept4", 288)];

    // Another program, another process's memory, code in the kernel, the host's files, devices and clock, namespaces (in a new one the
    // process would hold capabilities), keys (those of the session that started the agent), and what serves attacks on the kernel more than
    // programs.
    private static readonly (string Name, int Number)[] Deadly =
    [
        ("execve", 59), ("execveat", 322), ("fork", 57), ("vfork", 58),
        ("ptrace", 101), ("process_vm_readv", 310), ("process_vm_writev", 311), ("kcmp", 312), ("pidfd_getfd", 438),
        ("process_madvise", 440), ("bpf", 321), ("perf_event_open", 298), ("init_module", 175), ("delete_module", 176),
        ("finit_module", 313), ("kexec_load", 246), ("kexec_file_load", 320), ("userfaultfd", 323), ("io_uring_setup", 425),
        ("io_uring_enter", 426), ("io_uring_register", 427), ("mount", 165), ("umount2", 166), ("pivot_root", 155), ("chroot", 161),
        ("open_tree", 428), ("move_mount", 429), ("fsopen", 430), ("fsconfig", 431), ("fsmount", 432), ("fspick", 433),
        ("mount_setattr", 442), ("open_by_handle_at", 304), ("setns", 308), ("unshare", 272), ("add_key", 248), ("request_key", 249),
        ("keyctl", 250), ("personality", 135), ("modify_ldt", 154), ("iopl", 172), ("ioperm", 173), ("reboot", 169), ("swapon", 167),
        ("swapoff", 168), ("acct", 163), ("quotactl", 179), ("quotactl_fd", 443), ("settimeofday", 164), ("clock_settime", 227),
        ("sethostname", 170), ("setdomainname", 171), ("vhangup", 153), ("uselib", 134), ("syslog", 103), ("fanotify_init", 300),
    ];
}
