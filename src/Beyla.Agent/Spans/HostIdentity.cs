using System.Text;

namespace Beyla.Agent.Spans;

/// <summary>What tells this host, and the processes of this boot, from all others.</summary>
/// <param name="Id">host.id: machine-id(5), or what the configuration says; empty where the host has none.</param>
/// <param name="Name">host.name.</param>
/// <param name="Boot">The kernel's number of this boot (/proc/sys/kernel/random/boot_id); empty where it may not be read.</param>
public sealed record HostIdentity(string Id, string Name, string Boot)
{
    // Semantic conventions, "service.instance.id": the namespace of UUIDs of version 5 that are made of something inherent.
    private static readonly Guid Namespace = new("4d63009a-8d0f-11ee-aad7-4c796ed8e320");

    /// <summary>Reads this host's. What cannot be read is empty.</summary>
    /// <param name="id">Said in place of its id (<c>attributes.host_id.override</c>); empty for its own.</param>
    /// <param name="name">Said in place of its name (<c>attributes.instance_id.override_hostname</c>); empty for its own.</param>
    public static HostIdentity Read(string id = "", string name = "") => new(
        id.Length > 0 ? id : Line("/etc/machine-id") is { Length: > 0 } own ? own : Line("/var/lib/dbus/machine-id"),
        name.Length > 0 ? name : Environment.MachineName, Line("/proc/sys/kernel/random/boot_id"));

    /// <summary>
    /// Of a host on which something was seen that is told elsewhere: nothing is known of it but what somebody says.
    /// </summary>
    /// <param name="id">Its id; may be empty.</param>
    /// <param name="name">Its name; may be empty.</param>
    public static HostIdentity Elsewhere(string id, string name) => new(id, name, "") { IsElsewhere = true };

    /// <summary>Whether it may be another host than this one.</summary>
    public bool IsElsewhere { get; private init; }

    /// <summary>service.instance.id of a process: a UUID of version 5 (RFC 9562) of host, boot, process id and start.</summary>
    /// <param name="pid">Process id in the initial pid namespace.</param>
    /// <param name="startTime">Clock ticks after boot; with the pid it names one process.</param>
    public string InstanceOf(int pid, long startTime) => InstanceOf(FormattableString.Invariant($"{Id}/{Boot}/{pid}/{startTime}"));

    /// <summary>The same of something else that is inherent.</summary>
    internal static string InstanceOf(string inherent)
    {
        Span<byte> hashed = stackalloc byte[NameHash.Size];
        NameHash.Of([.. Namespace.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(inherent)], hashed);
        hashed[6] = (byte)((hashed[6] & 0x0f) | 0x50);
        hashed[8] = (byte)((hashed[8] & 0x3f) | 0x80);
        return new Guid(hashed[..16], bigEndian: true).ToString();
    }

    private static string Line(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
