namespace Beyla.Agent.Linux.SystemCalls;

/// <summary>The calls that are allowed with some arguments only. Arguments behind a pointer are out of a filter's sight.</summary>
internal static partial class SystemCallTable
{
    private const ulong Int = uint.MaxValue;

    // include/uapi/asm-generic/mman-common.h, include/uapi/linux/sched.h
    private const ulong ProtWrite = 2, ProtExec = 4, MapAnonymous = 0x20;
    private const ulong CloneThread = 0x10000, ClonePtrace = 0x2000, CloneVfork = 0x4000;

    // CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
    private const ulong CloneNew = 0x80 | 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000;

    // include/linux/socket.h
    private const int AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, NETLINK_ROUTE = 0;
    private const int SOL_IP = 0, SOL_SOCKET = 1, SOL_TCP = 6, SOL_IPV6 = 41, SOL_NETLINK = 270;

    private static List<SystemCallRule> Conditional(WorkerNeeds needs, int self)
    {
        var connects = needs != WorkerNeeds.None;
        return
        [
            // A library is a file that is mapped as code; code that was written in memory is not.
            Allow("mmap", 9, [
                [new(2, ProtExec, 0)],
                .. connects ? (ArgumentTest[][])[[new(2, ProtExec | ProtWrite, ProtExec), new(3, MapAnonymous, 0)]] : []]),
            Allow("mprotect", 10, [[new(2, ProtExec, 0)]]),

            // Threads and no processes. clone3 keeps its flags in memory and fails with ENOSYS, upon which the C library calls clone.
            Allow("clone", 56, [[new(0, CloneThread | ClonePtrace | CloneVfork | CloneNew, CloneThread)]]),

            // Signals to itself: abort, and the garbage collector stops threads.
            Allow("kill", 62, [[Is(0, self)]]),
            Allow("tgkill", 234, [[Is(0, self)]]),

            Allow("socket", 41, [
                [Is(0, AF_NETLINK), Is(2, NETLINK_ROUTE)],
                .. connects ? (ArgumentTest[][])[[Is(0, AF_UNIX)], [Is(0, AF_INET)], [Is(0, AF_INET6)]] : []]),
            Allow("socketpair", 53, [[Is(0, AF_UNIX)]]),
            Allow("setsockopt", 54, [.. Options(needs)]),

            // TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO: whether it is a terminal, how much can be read. Not TIOCSTI, which types for the user.
            Allow("ioctl", 16, OneOf(1, 0x5401, 0x5413, 0x541B, 0x5421)),

            // F_DUPFD, GETFD, SETFD, GETFL, DUPFD_CLOEXEC, GETPIPE_SZ, ADD_SEALS, GET_SEALS. Not F_SETOWN, F_SETSIG: signals to others; not
            // F_SETFL, with which the pipe of the keeper's life would be silent, by whatever copy of its descriptor.
            Allow("fcntl", 72, OneOf(1, 0, 1, 2, 3, 1030, 1032, 1033, 1034)),

            // PR_GET_DUMPABLE, PR_SET_NAME, GET_NAME, GET_SECCOMP, CAPBSET_READ, SET_NO_NEW_PRIVS, GET_NO_NEW_PRIVS, CAP_AMBIENT, SET_VMA
            // (names of memory); PR_SET_DUMPABLE to "no".
            Allow("prctl", 157, [.. OneOf(0, 3, 15, 16, 21, 23, 38, 39, 47, 0x53564D41), [Is(0, 4), new(1, ulong.MaxValue, 0)]]),

            // The caller's own thread (SCHED_BATCH); any policy above the usual needs a capability.
            Allow("sched_setscheduler", 144, [[Is(0, 0)]]),

            // To read its own limits: no new ones.
            Allow("prlimit64", 302, [[Is(0, 0), new(2, ulong.MaxValue, 0)], [Is(0, self), new(2, ulong.MaxValue, 0)]]),
        ];
    }

    /// <summary>
    /// The pipe whose end is the keeper's end stays open: only the last close of it would take its signal away. close_range is unknown
    /// (<see cref="FilterProgram.FirstLate"/>), as it could close it among others.
    /// </summary>
    private static SystemCallRule[] Lasting(int life) =>
    [
        new("close", 3, Verdict.AllowExcept, [[Is(0, life)]]),
        new("dup2", 33, Verdict.AllowExcept, [[Is(1, life)]]),
        new("dup3", 292, Verdict.AllowExcept, [[Is(1, life)]]),
    ];

    /// <summary>Options of sockets; no filter or program is attached to one, which is the keeper's work.</summary>
    private static IEnumerable<ArgumentTest[]> Options(WorkerNeeds needs)
    {
        // SO_SNDBUF, SO_RCVBUF, SO_RCVTIMEO, SO_SNDTIMEO
        foreach (var option in (int[])[7, 8, 20, 21])
        {
            yield return [Is(1, SOL_SOCKET), Is(2, option)];
        }

        yield return [Is(1, SOL_NETLINK)];
        if (needs == WorkerNeeds.None)
        {
            yield break;
        }

        // The resolver: IP_RECVERR, IPV6_RECVERR; of a datagram that is too long, IP_MTU_DISCOVER and IPV6_MTU_DISCOVER.
        foreach (var (level, option) in ((int, int)[])[(SOL_IP, 11), (SOL_IP, 10), (SOL_IPV6, 25), (SOL_IPV6, 23)])
        {
            yield return [Is(1, level), Is(2, option)];
        }

        if (!needs.HasFlag(WorkerNeeds.Network))
        {
            yield break;
        }

        // SO_REUSEADDR, SO_KEEPALIVE, SO_LINGER, IPV6_V6ONLY; TCP_NODELAY, KEEPIDLE, KEEPINTVL, KEEPCNT, USER_TIMEOUT
        foreach (var (level, option) in ((int, int)[])[(SOL_SOCKET, 2), (SOL_SOCKET, 9), (SOL_SOCKET, 13), (SOL_IPV6, 26),
            (SOL_TCP, 1), (SOL_TCP, 4), (SOL_TCP, 5), (SOL_TCP, 6), (SOL_TCP, 18)])
        {
            yield return [Is(1, level), Is(2, option)];
        }
    }

    private static SystemCallRule Allow(string name, int number, IReadOnlyList<ArgumentTest[]> ways) =>
        new(name, number, Verdict.Allow, ways);

    private static ArgumentTest Is(int argument, int value) => new(argument, Int, (uint)value);

    private static ArgumentTest[][] OneOf(int argument, params int[] values) =>
        [.. values.Select(value => new[] { Is(argument, value) })];
}
