namespace Beyla.Agent.Capabilities;

/// <summary>What a check knows about the host and this process. A null means that it could not be read.</summary>
public sealed record HostFacts
{
    /// <summary>The sets of the process as it was started.</summary>
    public required ProcessCapabilities Capabilities { get; init; }

    /// <summary>The kernel's version.</summary>
    public required Version Kernel { get; init; }

    /// <summary>The kernel's release, as uname gives it.</summary>
    public string KernelRelease { get; init; } = "";

    /// <summary>The highest capability that the kernel knows (/proc/sys/kernel/cap_last_cap).</summary>
    public int? LastCapability { get; init; }

    /// <summary>The effective user; null where it is about any ordinary one.</summary>
    public uint? User { get; init; }

    /// <summary>Whether the process is in the initial user namespace; capabilities of another count only for what belongs to it.</summary>
    public bool? InitialUserNamespace { get; init; }

    /// <summary>Whether the kernel describes its types (/sys/kernel/btf/vmlinux).</summary>
    public bool? TypeInformation { get; init; }

    /// <summary>kernel.perf_event_paranoid.</summary>
    public int? PerfEventParanoid { get; init; }

    /// <summary>kernel.unprivileged_bpf_disabled.</summary>
    public int? UnprivilegedBpfDisabled { get; init; }

    /// <summary>none, integrity or confidentiality (/sys/kernel/security/lockdown).</summary>
    public string? Lockdown { get; init; }

    /// <summary>Where cgroup v2 is mounted; empty when nowhere.</summary>
    public string? Cgroup2 { get; init; }

    /// <summary>Where tracefs is mounted; empty when nowhere.</summary>
    public string? Tracefs { get; init; }

    /// <summary>Where a bpf file system is mounted; empty when nowhere.</summary>
    public string? BpfFilesystem { get; init; }

    /// <summary>Whether a seccomp filter sees the system calls of this process.</summary>
    public bool? SeccompFilter { get; init; }

    /// <summary>Whether no_new_privs was set when the process was started; file capabilities are ignored then.</summary>
    public bool? NoNewPrivileges { get; init; }

    /// <summary>The path of the agent binary.</summary>
    public string AgentPath { get; init; } = "";

    /// <summary>The file capabilities of the agent binary; null when it has none or they cannot be read.</summary>
    public FileCapabilities? AgentFile { get; init; }

    /// <summary>Whether the binary is on a file system that ignores file capabilities (nosuid).</summary>
    public bool? AgentOnNosuid { get; init; }

    /// <summary>Whether the kernel knows the capability at all.</summary>
    public bool Knows(Capability capability) => LastCapability is not { } last || (int)capability <= last;
}
