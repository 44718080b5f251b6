namespace Beyla.Agent.Processes;

/// <summary>Counts which files of /proc/PID were refused, each process once. Any thread.</summary>
public sealed class ProcRefusals
{
    private const int MaximumRemembered = 16 * 1024;

    /// <summary>
    /// For a reader whose refusals are counted by the one who asks it: the set of them would grow with the processes that there are.
    /// </summary>
    internal static ProcRefusals NotCounted { get; } = new();

    private readonly Lock gate = new();
    private readonly HashSet<(int Pid, ProcFile File)> refused = [];
    private readonly long[] counts = new long[Enum.GetValues<ProcFile>().Length];
    private readonly int[] lastErrno = new int[Enum.GetValues<ProcFile>().Length];

    /// <summary>Processes that did not let this file be read.</summary>
    public long Of(ProcFile file)
    {
        lock (gate)
        {
            return counts[(int)file];
        }
    }

    /// <summary>Why the last one did not.</summary>
    public int LastErrno(ProcFile file)
    {
        lock (gate)
        {
            return lastErrno[(int)file];
        }
    }

    /// <summary>Counts a process whose file was refused with this errno; each process once for each file.</summary>
    internal void Add(int pid, ProcFile file, int errno)
    {
        if (this == NotCounted)
        {
            return;
        }

        lock (gate)
        {
            if (refused.Count >= MaximumRemembered)
            {
                refused.Clear();
            }

            lastErrno[(int)file] = errno;
            if (refused.Add((pid, file)))
            {
                counts[(int)file]++;
            }
        }
    }
}
