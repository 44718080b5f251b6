using Beyla.Agent.Linux;

namespace Beyla.Agent.Logging;

/// <summary>
/// Looks at the variables TZ and TZDIR before the runtime does, which reads whatever file they lead to, to its end: a named pipe, a
/// device without end. What is no time zone file is taken away; then times are those of /etc/localtime.
/// </summary>
/// <remarks>
/// tzset(3): TZ is a name below the directory of zones or an absolute path, with or without a colon before it; empty is UTC. Like glibc
/// for a program with raised rights (time/tzfile.c), only files below that directory count then.
/// </remarks>
public static partial class TimeZoneVariable
{
    // A file of RFC 9636 has at least its header; the largest of the IANA database has 4 KB.
    private const ulong SmallestFile = 44, LargestFile = 64 * 1024;

    // Where systems keep their zones; root alone writes there.
    private static readonly string[] Directories = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

    /// <summary>Takes the variables away from this process where they must not be used. Call before the first line is logged.</summary>
    /// <param name="raisedRights">Whether the agent has rights that its caller has not.</param>
    /// <returns>What was taken away and why, for the log; null when all stays.</returns>
    public static string? Settle(bool raisedRights)
    {
        var (zone, directory) = (Environment.GetEnvironmentVariable("TZ"), Environment.GetEnvironmentVariable("TZDIR"));
        string? said = null;
        // The runtime compares the zone with every file in there.
        if (!string.IsNullOrEmpty(directory) && !Directories.Contains(directory.TrimEnd('/')))
        {
            Environment.SetEnvironmentVariable("TZDIR", null);
            said = $"TZDIR: {LogText.Quote(Shown(directory))} is none of {string.Join(", ", Directories)}";
            directory = null;
        }

        if (Refuse(zone, string.IsNullOrEmpty(directory) ? Directories[0] : directory, raisedRights) is { } reason)
        {
            Environment.SetEnvironmentVariable("TZ", null);
            said = (said is null ? "" : said + "; ") + $"TZ: {LogText.Quote(Shown(zone!))} {reason}";
        }

        return said;
    }

    /// <summary>Why the zone must not be used; null when it may be, or names nothing, which is UTC.</summary>
    internal static string? Refuse(string? zone, string directory, bool raisedRights)
    {
        var name = zone is [':', .. var rest] ? rest : zone;
        if (string.IsNullOrEmpty(name))
        {
            return null;
        }

        if (name.Contains('\0', StringComparison.Ordinal))
        {
            return "holds a zero character";
        }

        var path = Path.GetFullPath(name, directory);
        if (raisedRights && (name.Contains("..", StringComparison.Ordinal)
            || (path != "/etc/localtime" && !path.StartsWith(directory.TrimEnd('/') + "/", StringComparison.Ordinal))))
        {
            return $"is not below {directory}, and the agent has capabilities that its caller has not";
        }
        // What a link leads to counts, also one of /proc that has no path. What is not there is not read.
        return !FileStatus.TryRead(FileStatus.CurrentDirectory, path, 0, FileStatus.Basic, out var file)
            || (file.IsRegular && file.Size is >= SmallestFile and <= LargestFile) ? null
            : $"is no regular file of {SmallestFile} to {LargestFile} bytes";
    }

    private static string Shown(string value) => value.Length > 200 ? value[..200] + "…" : value;
}
