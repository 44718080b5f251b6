using Beyla.Agent.Linux;

namespace Beyla.Agent.Processes.Inspections;

/// <summary>
/// Reads something of the executables of processes, and remembers it by device, inode and time of change, so that a program that is started
/// often is read once. For one thread aside.
/// </summary>
/// <typeparam name="T">What is read; null is not remembered.</typeparam>
/// <param name="proc">How /proc is read.</param>
/// <param name="gate">Knows where a read does not come back; null where all may be read.</param>
/// <param name="maximum">Files that are remembered.</param>
/// <param name="read">Reads an open file, of which the identity is given.</param>
internal sealed class ExecutableCache<T>(ProcReader proc, IFileGate? gate, int maximum, Func<int, FileIdentity, T> read)
{
    private readonly FileSystems systems = new(proc);
    private readonly Dictionary<FileIdentity, T> cache = [];

    /// <summary>Files whose content was read and not remembered.</summary>
    internal long FilesRead { get; private set; }

    /// <summary>Files of which something is remembered.</summary>
    internal int Remembered => cache.Count;

    /// <summary>What the executable of a process says; the default where it may not be read.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="use">
    /// Given the process, a descriptor that names the executable, and what that says. It opens the file: also one that is known has to be
    /// one that may be opened.
    /// </param>
    internal T? Read(int pid, Action<int, int, T>? use = null)
    {
        var named = proc.NameExecutable(pid);
        if (named < 0)
        {
            return default;
        }

        try
        {
            if (!ProcCalls.TryIdentify(named, out var status) || !status.IsRegular)
            {
                return default;
            }

            var isKnown = cache.TryGetValue(status.Identity, out var value);
            if ((!isKnown || use is not null)
                && (!systems.MayOpen(pid, status) || gate?.MayOpen(status.Identity.Device) == false))
            {
                return default;
            }

            value = isKnown ? value : ReadFile(pid, named, status.Identity);
            if (value is not null)
            {
                use?.Invoke(pid, named, value);
            }

            return value;
        }
        finally
        {
            ProcCalls.Close(named);
        }
    }

    private T? ReadFile(int pid, int named, FileIdentity identity)
    {
        var value = default(T);
        var file = proc.OpenExecutable(pid, named);
        if (file >= 0)
        {
            FilesRead++;
            value = read(file, identity);
            ProcCalls.Close(file);
        }

        // What came too late is not the whole.
        if (value is null || proc.Budget.IsLate)
        {
            return value;
        }

        if (cache.Count >= maximum)
        {
            cache.Clear();
        }

        return cache[identity] = value;
    }
}
