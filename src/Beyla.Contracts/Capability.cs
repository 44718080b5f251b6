namespace Beyla;

/// <summary>A Linux capability; the value is the kernel's number (include/uapi/linux/capability.h, capabilities(7)).</summary>
// Long, as the others: ConvertTo-Json writes such an enumeration by its names.
public enum Capability : long
{
    /// <summary>CAP_CHOWN: change the owner and group of files.</summary>
    Chown = 0,

    /// <summary>CAP_DAC_OVERRIDE: read, write and execute files whatever their permissions say.</summary>
    DacOverride = 1,

    /// <summary>Read any file, list and search any directory.</summary>
    DacReadSearch = 2,

    /// <summary>CAP_FOWNER: do to files of others what takes their owner, such as to change permissions.</summary>
    Fowner = 3,

    /// <summary>CAP_FSETID: keep the set-user-id and set-group-id bits when a file is changed.</summary>
    Fsetid = 4,

    /// <summary>CAP_KILL: send signals to processes of other users.</summary>
    Kill = 5,

    /// <summary>CAP_SETGID: change the groups of the own process.</summary>
    Setgid = 6,

    /// <summary>CAP_SETUID: change the user of the own process.</summary>
    Setuid = 7,

    /// <summary>Drop capabilities from the bounding set.</summary>
    Setpcap = 8,

    /// <summary>CAP_LINUX_IMMUTABLE: set the append-only and immutable flags of files.</summary>
    LinuxImmutable = 9,

    /// <summary>CAP_NET_BIND_SERVICE: listen on ports below 1024.</summary>
    NetBindService = 10,

    /// <summary>CAP_NET_BROADCAST: broadcast and listen to multicasts; the kernel does not use it.</summary>
    NetBroadcast = 11,

    /// <summary>Load and attach programs that see packets: traffic control, cgroup, sockets.</summary>
    NetAdmin = 12,

    /// <summary>Open packet sockets.</summary>
    NetRaw = 13,

    /// <summary>CAP_IPC_LOCK: lock memory.</summary>
    IpcLock = 14,

    /// <summary>CAP_IPC_OWNER: use System V IPC objects whatever their permissions say.</summary>
    IpcOwner = 15,

    /// <summary>CAP_SYS_MODULE: load and unload kernel modules.</summary>
    SysModule = 16,

    /// <summary>CAP_SYS_RAWIO: use I/O ports and raw devices.</summary>
    SysRawio = 17,

    /// <summary>CAP_SYS_CHROOT: use chroot, and enter mount namespaces.</summary>
    SysChroot = 18,

    /// <summary>Inspect processes of other users.</summary>
    SysPtrace = 19,

    /// <summary>CAP_SYS_PACCT: switch process accounting.</summary>
    SysPacct = 20,

    /// <summary>
    /// Everything that has no capability of its own; stands in for <see cref="Bpf"/>, <see cref="Perfmon"/> and
    /// <see cref="CheckpointRestore"/>.
    /// </summary>
    SysAdmin = 21,

    /// <summary>CAP_SYS_BOOT: restart the machine, load another kernel.</summary>
    SysBoot = 22,

    /// <summary>CAP_SYS_NICE: raise priorities, choose real-time scheduling.</summary>
    SysNice = 23,

    /// <summary>Raise resource limits.</summary>
    SysResource = 24,

    /// <summary>CAP_SYS_TIME: set the clocks.</summary>
    SysTime = 25,

    /// <summary>CAP_SYS_TTY_CONFIG: hang up and configure terminals.</summary>
    SysTtyConfig = 26,

    /// <summary>CAP_MKNOD: create device files.</summary>
    Mknod = 27,

    /// <summary>CAP_LEASE: take leases on files of other users.</summary>
    Lease = 28,

    /// <summary>CAP_AUDIT_WRITE: write to the audit log of the kernel.</summary>
    AuditWrite = 29,

    /// <summary>CAP_AUDIT_CONTROL: switch auditing and change its rules.</summary>
    AuditControl = 30,

    /// <summary>Set file capabilities.</summary>
    Setfcap = 31,

    /// <summary>CAP_MAC_OVERRIDE: override mandatory access control (Smack).</summary>
    MacOverride = 32,

    /// <summary>CAP_MAC_ADMIN: configure mandatory access control (Smack).</summary>
    MacAdmin = 33,

    /// <summary>CAP_SYSLOG: use privileged syslog(2) operations, see kernel addresses.</summary>
    Syslog = 34,

    /// <summary>CAP_WAKE_ALARM: set timers that wake the machine up.</summary>
    WakeAlarm = 35,

    /// <summary>CAP_BLOCK_SUSPEND: keep the machine from being suspended.</summary>
    BlockSuspend = 36,

    /// <summary>CAP_AUDIT_READ: read the audit log by a multicast socket.</summary>
    AuditRead = 37,

    /// <summary>Load tracing programs, read kernel memory from them, use pointers freely (kernel 5.8).</summary>
    Perfmon = 38,

    /// <summary>Create maps and load programs (kernel 5.8).</summary>
    Bpf = 39,

    /// <summary>Open <c>/proc/PID/map_files</c> (kernel 5.9).</summary>
    CheckpointRestore = 40,
}
