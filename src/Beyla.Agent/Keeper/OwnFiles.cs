using Beyla.Agent.Processes;

namespace Beyla.Agent.Keeper;

/// <summary>
/// The files whose code this process runs: its executable and its libraries, which may run as programs too. A probe at a place that
/// somebody else chooses could change an instruction, and so what the process does with its capabilities.
/// </summary>
internal static class OwnFiles
{
    /// <summary>Whether a named file is one of them. False only for a file that can be told from all of them.</summary>
    /// <param name="file">A descriptor, also one that only names the file.</param>
    public static bool Contain(int file)
    {
        if (!ProcCalls.TryIdentify(file, out var status))
        {
            return true;
        }

        var wanted = (status.Identity.Device, status.Identity.Inode);
        if (Is("/proc/self/exe", wanted))
        {
            return true;
        }

        string? last = null;
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            // proc_pid_maps(5): the first slash begins the path.
            if (line.IndexOf('/') is >= 0 and var start && line[start..] is var path && path != last)
            {
                last = path;
                if (Is(path, wanted))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool Is(string path, (ulong Device, ulong Inode) wanted)
    {
        var file = ProcCalls.OpenName(path);
        if (file < 0)
        {
            return false;
        }

        var same = ProcCalls.TryIdentify(file, out var status) && (status.Identity.Device, status.Identity.Inode) == wanted;
        ProcCalls.Close(file);
        return same;
    }
}
