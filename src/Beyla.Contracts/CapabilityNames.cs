namespace Beyla;

/// <summary>The kernel's spelling of capabilities: <c>CAP_DAC_READ_SEARCH</c>.</summary>
public static class CapabilityNames
{
    private static readonly string[] Names =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
        "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
        "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
        "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];

    /// <summary>The number of capabilities that have a name here.</summary>
    public static int Count => Names.Length;

    /// <summary>The name, or <c>CAP_41</c> for a capability that is newer than this program.</summary>
    public static string Name(this Capability capability) =>
        (uint)capability < (uint)Names.Length
            ? Names[(int)capability]
            : "CAP_" + ((int)capability).ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Reads a name in any case, with or without <c>CAP_</c>.</summary>
    public static bool TryParse(string? text, out Capability capability)
    {
        var name = text?.Trim() ?? "";
        if (!name.StartsWith("CAP_", StringComparison.OrdinalIgnoreCase))
        {
            name = "CAP_" + name;
        }

        var index = Array.FindIndex(Names, known => string.Equals(known, name, StringComparison.OrdinalIgnoreCase));
        capability = (Capability)Math.Max(index, 0);
        return index >= 0;
    }
}
