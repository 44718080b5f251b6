using System.Globalization;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Capabilities;

/// <summary>Reads <see cref="HostFacts"/> from /proc and /sys. Needs no privilege; what cannot be read is null.</summary>
public static class HostFactsReader
{
    // The inode of the initial user namespace (include/linux/proc_ns.h, PROC_USER_INIT_INO).
    private const string InitialUserNamespace = "user:[4026531837]";

    /// <summary>
    /// Reads everything now, except what only the start can tell: the capability sets and no_new_privs are those of the start.
    /// </summary>
    public static HostFacts Read()
    {
        var status = ReadText("/proc/thread-self/status") ?? "";
        var mounts = ReadText("/proc/self/mountinfo");
        var (path, file, nosuid) = ReadAgent();
        var release = ReadText("/proc/sys/kernel/osrelease") ?? Environment.OSVersion.Version.ToString();
        return new HostFacts
        {
            Capabilities = Privilege.AtStart,
            NoNewPrivileges = Privilege.NoNewPrivilegesAtStart,
            Kernel = ParseKernel(release),
            KernelRelease = release,
            LastCapability = ReadNumber("/proc/sys/kernel/cap_last_cap"),
            User = FileCalls.geteuid(),
            InitialUserNamespace = ReadLink("/proc/self/ns/user") is { } link ? link == InitialUserNamespace : null,
            TypeInformation = File.Exists("/sys/kernel/btf/vmlinux"),
            PerfEventParanoid = ReadNumber("/proc/sys/kernel/perf_event_paranoid"),
            UnprivilegedBpfDisabled = ReadNumber("/proc/sys/kernel/unprivileged_bpf_disabled"),
            Lockdown = ParseLockdown(ReadText("/sys/kernel/security/lockdown")),
            Cgroup2 = FindMount(mounts, "cgroup2"),
            Tracefs = FindMount(mounts, "tracefs"),
            BpfFilesystem = FindMount(mounts, "bpf"),
            SeccompFilter = ParseStatus(status, "Seccomp:") is { } seccomp ? seccomp == 2 : null,
            AgentPath = path,
            AgentFile = file,
            AgentOnNosuid = nosuid,
        };
    }

    /// <summary>
    /// As <see cref="Read"/>, for an ordinary user without capabilities who starts that file from here: the sets are those that the exec
    /// would give.
    /// </summary>
    /// <remarks>capabilities(7), "Transformation of capabilities during execve()", with empty inheritable and ambient sets.</remarks>
    /// <param name="path">The file, absolute.</param>
    /// <exception cref="KernelException">The file cannot be opened.</exception>
    internal static HostFacts ReadForFile(string path)
    {
        using var file = CapabilityFile.Open(path);
        var facts = Read() with { User = null, AgentPath = path, AgentFile = file.Read(), AgentOnNosuid = file.OnNosuid() };
        var bounding = facts.Capabilities.Bounding;
        // With the effective flag an exec that cannot give everything fails.
        var given = facts.AgentFile is { RootUser: 0 } carried && facts.AgentOnNosuid == false && facts.NoNewPrivileges != true
            && (!carried.Effective || bounding.ContainsAll(carried.Permitted)) ? carried.Permitted & bounding : CapabilitySet.None;
        var effective = facts.AgentFile?.Effective == true ? given : CapabilitySet.None;
        return facts with { Capabilities = new ProcessCapabilities(effective, given, CapabilitySet.None, bounding, CapabilitySet.None) };
    }

    /// <summary>The first numbers of a release: 6.1.0-56-cloud-amd64 is 6.1.0.</summary>
    internal static Version ParseKernel(string release)
    {
        var parts = release.Split('.', 3);
        return new Version(Leading(parts[0]), parts.Length > 1 ? Leading(parts[1]) : 0, parts.Length > 2 ? Leading(parts[2]) : 0);
    }

    /// <summary>The value in brackets: <c>none [integrity] confidentiality</c>.</summary>
    internal static string? ParseLockdown(string? text)
    {
        var start = text?.IndexOf('[', StringComparison.Ordinal) ?? -1;
        var end = start < 0 ? -1 : text!.IndexOf(']', start);
        return end < 0 ? null : text![(start + 1)..end];
    }

    /// <summary>
    /// Where a file system of that type is mounted; empty when nowhere, null when the list could not be read (proc_pid_mountinfo(5)).
    /// </summary>
    internal static string? FindMount(string? mounts, string type)
    {
        foreach (var line in (mounts ?? "").AsSpan().EnumerateLines())
        {
            var separator = line.IndexOf(" - ");
            if (separator > 0 && line[(separator + 3)..].StartsWith(type + " "))
            {
                return line.ToString().Split(' ', 6)[4];
            }
        }

        return mounts is null ? null : "";
    }

    private static int? ParseStatus(string status, string name)
    {
        foreach (var line in status.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(name)
                && int.TryParse(line[name.Length..].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            {
                return value;
            }
        }

        return null;
    }

    private static int Leading(string text)
    {
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        return int.TryParse(text.AsSpan(0, Math.Min(digits, 6)), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : 0;
    }

    private static (string Path, FileCapabilities? File, bool? Nosuid) ReadAgent()
    {
        var path = Environment.ProcessPath ?? "/proc/self/exe";
        try
        {
            using var agent = CapabilityFile.Open("/proc/self/exe");
            return (path, agent.Read(), agent.OnNosuid());
        }
        catch (KernelException)
        {
            return (path, null, null);
        }
    }

    private static string? ReadLink(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static int? ReadNumber(string path) =>
        int.TryParse(ReadText(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd('\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
