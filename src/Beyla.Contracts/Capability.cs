namespace Beyla;

/// <summary>A Linux capability; the value is the kernel's number (include/uapi/linux/capability.h, capabilities(7)).</summary>
// Long, as the others: ConvertTo-Json writes such an enumeration by its names.
public enum Capability : long
{
    Chown = 0,
    DacOverride = 1,

    /// <summary>Read any file, list and search any directory.</summary>
    DacReadSearch = 2,
    Fowner = 3,
    Fsetid = 4,
    Kill = 5,
    Setgid = 6,
    Setuid = 7,

    /// <summary>Drop capabilities from the bounding set.</summary>
    Setpcap = 8,
    LinuxImmutable = 9,
    NetBindService = 10,
    NetBroadcast = 11,

    /// <summary>Load and attach programs that see packets: traffic control, cgroup, sockets.</summary>
    NetAdmin = 12,

    /// <summary>Open packet sockets.</summary>
    NetRaw = 13,
    IpcLock = 14,
    IpcOwner = 15,
    SysModule = 16,
    SysRawio = 17,
    SysChroot = 18,

    /// <summary>Inspect processes of other users.</summary>
    SysPtrace = 19,
    SysPacct = 20,

    /// <summary>
    /// Everything that has no capability of its own; stands in for <see cref="Bpf"/>, <see cref="Perfmon"/> and
    /// <see cref="CheckpointRestore"/>.
    /// </summary>
    SysAdmin = 21,
    SysBoot = 22,
    SysNice = 23,

    /// <summary>Raise resource limits.</summary>
    SysResource = 24,
    SysTime = 25,
    SysTtyConfig = 26,
    Mknod = 27,
    Lease = 28,
    AuditWrite = 29,
    AuditControl = 30,

    /// <summary>Set file capabilities.</summary>
    Setfcap = 31,
    MacOverride = 32,
    MacAdmin = 33,
    Syslog = 34,
    WakeAlarm = 35,
    BlockSuspend = 36,
    AuditRead = 37,

    /// <summary>Load tracing programs, read kernel memory from them, use pointers freely (kernel 5.8).</summary>
    Perfmon = 38,

    /// <summary>Create maps and load programs (kernel 5.8).</summary>
    Bpf = 39,

    /// <summary>Open <c>/proc/PID/map_files</c> (kernel 5.9).</summary>
    CheckpointRestore = 40,
}
