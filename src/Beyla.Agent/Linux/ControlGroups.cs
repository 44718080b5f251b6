using System.Text;

namespace Beyla.Agent.Linux;

/// <summary>
/// Where control groups are (cgroups(7)): the mount point of the second version, and the group of a process in it. Needs no privilege.
/// </summary>
public static class ControlGroups
{
    /// <summary>Where the second version is mounted, or null when nowhere that this process can see.</summary>
    /// <param name="mounts">Content of /proc/self/mountinfo (proc_pid_mountinfo(5)).</param>
    public static string? FindMount(string mounts)
    {
        foreach (var line in mounts.AsSpan().EnumerateLines())
        {
            var separator = line.IndexOf(" - ");
            if (separator > 0 && line[(separator + 3)..].StartsWith("cgroup2 ")
                && line[..separator].ToString().Split(' ') is [_, _, _, _, var at, ..])
            {
                return Unescape(at);
            }
        }

        return null;
    }

    /// <summary>
    /// The group of a process relative to the mount, with a slash in front; null when the process is in none, or in one outside of the
    /// part of the hierarchy that this process sees.
    /// </summary>
    /// <param name="groups">Content of /proc/PID/cgroup.</param>
    public static string? FindGroup(string groups)
    {
        foreach (var line in groups.AsSpan().EnumerateLines())
        {
            if (line.StartsWith("0::/"))
            {
                var path = line[3..].ToString();
                const string deleted = " (deleted)";
                return path.StartsWith("/..", StringComparison.Ordinal) || path.EndsWith(deleted, StringComparison.Ordinal) ? null : path;
            }
        }

        return null;
    }

    /// <summary>Reads where the second version is mounted.</summary>
    public static string? FindMount() => Read("/proc/self/mountinfo") is { } mounts ? FindMount(mounts) : null;

    /// <summary>Whether one group is the other one, or holds it. Both as <see cref="FindGroup(string)"/> gives them.</summary>
    public static bool Holds(ReadOnlySpan<char> outer, ReadOnlySpan<char> inner) =>
        outer is "/" || (inner.StartsWith(outer) && (inner.Length == outer.Length || inner[outer.Length] == '/'));

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Blanks, line ends and backslashes stand as octal numbers in the file.</summary>
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var isEscape = text[i] == '\\' && i + 3 < text.Length;
            _ = plain.Append(isEscape ? (char)(((text[i + 1] - '0') << 6) + ((text[i + 2] - '0') << 3) + text[i + 3] - '0') : text[i]);
            i += isEscape ? 3 : 0;
        }

        return plain.ToString();
    }
}
