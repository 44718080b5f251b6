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
        if (Is("/proc/self/exe"u8, wanted))
        {
            return true;
        }

        var maps = ProcCalls.Open("/proc/self/maps"u8);
        if (maps < 0)
        {
            return true;
        }

        var contain = MapsContain(maps, wanted);
        ProcCalls.Close(maps);
        return contain;
    }

    /// <summary>Reads maps to its end on the stack: a probe is asked for now and then, and takes no memory for it.</summary>
    private static bool MapsContain(int maps, (ulong Device, ulong Inode) wanted)
    {
        // Longer than a line: the path is all of it but for some numbers.
        Span<byte> buffer = stackalloc byte[2 * ProcReader.MaximumPath];
        Span<byte> last = stackalloc byte[ProcReader.MaximumPath];
        var (held, lastLength) = (0, 0);
        while (true)
        {
            var length = ProcCalls.Read(maps, buffer[held..]);
            if (length <= 0)
            {
                // What cannot be read, or does not end with a line, tells nothing apart.
                return length < 0 || held > 0;
            }

            var rest = (ReadOnlySpan<byte>)buffer[..(held + length)];
            for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
            {
                // proc_pid_maps(5): the first slash begins the path.
                var start = rest[..end].IndexOf((byte)'/');
                if (start < 0 || rest[start..end].SequenceEqual(last[..lastLength]))
                {
                    continue;
                }

                var path = rest[start..end];
                if (path.Length > last.Length || Is(path, wanted))
                {
                    return true;
                }

                path.CopyTo(last);
                lastLength = path.Length;
            }

            held = rest.Length;
            rest.CopyTo(buffer);
        }
    }

    private static bool Is(ReadOnlySpan<byte> path, (ulong Device, ulong Inode) wanted)
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
