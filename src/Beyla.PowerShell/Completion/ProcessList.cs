using System.Globalization;

namespace Beyla.PowerShell.Completion;

/// <summary>A process as far as this user may see it.</summary>
/// <param name="Id">Process id.</param>
/// <param name="Name">Short name.</param>
/// <param name="Executable">Full path; empty for a process of another user.</param>
/// <param name="CommandLine">Its arguments, joined by spaces; empty for kernel threads.</param>
public sealed record HostProcess(int Id, string Name, string Executable, string CommandLine);

/// <summary>Reads /proc for completion.</summary>
public static class ProcessList
{
    private const int LongestCommandLine = 200;

    /// <summary>All processes with a program; kernel threads are left out.</summary>
    /// <param name="root">Where proc is mounted.</param>
    public static IEnumerable<HostProcess> Read(string root = "/proc")
    {
        foreach (var folder in Folders(root))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                continue;
            }

            var commandLine = Text(Path.Combine(folder, "cmdline")).Replace('\0', ' ').Trim();
            if (commandLine.Length > 0)
            {
                yield return new HostProcess(id, Text(Path.Combine(folder, "comm")).TrimEnd('\n'), Target(Path.Combine(folder, "exe")),
                    commandLine.Length > LongestCommandLine ? commandLine[..LongestCommandLine] + "…" : commandLine);
            }
        }
    }

    /// <summary>The sockets that a process holds, by inode; none for a process of another user.</summary>
    public static IEnumerable<ulong> Sockets(int id, string root = "/proc")
    {
        const string prefix = "socket:[";
        foreach (var descriptor in Files(Path.Combine(root, id.ToString(CultureInfo.InvariantCulture), "fd")))
        {
            var target = Target(descriptor);
            if (target.StartsWith(prefix, StringComparison.Ordinal)
                && ulong.TryParse(
                    target.AsSpan(prefix.Length).TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture, out var inode))
            {
                yield return inode;
            }
        }
    }

    /// <summary>The text of a file in proc; empty where it cannot be read.</summary>
    internal static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string[] Folders(string root)
    {
        try
        {
            return Directory.GetDirectories(root);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string[] Files(string folder)
    {
        try
        {
            return Directory.GetFiles(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string Target(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget ?? "";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
