namespace Beyla.Agent.Processes;

/// <summary>
/// How often one process is looked at: a few times in a row, as a start has several steps, and then so many times per second.
/// </summary>
internal sealed class LookBudget
{
    /// <summary>Looks at one process within <see cref="Interval"/>.</summary>
    internal const int PerInterval = 8;

    /// <summary>Nanoseconds.</summary>
    internal const long Interval = 1_000_000_000;

    private const int MaximumProcesses = 16 * 1024;

    private readonly Dictionary<int, (long Begun, int Taken)> taken = [];

    /// <summary>False when the process has had its looks: it comes later.</summary>
    internal bool TryTake(int pid, long now)
    {
        if (!taken.TryGetValue(pid, out var looks) || now - looks.Begun >= Interval)
        {
            looks = (now, 0);
        }

        if (looks.Taken >= PerInterval)
        {
            return false;
        }

        if (taken.Count >= MaximumProcesses)
        {
            taken.Clear();
        }

        taken[pid] = (looks.Begun, looks.Taken + 1);
        return true;
    }

    /// <summary>Forgets those whose interval is over.</summary>
    internal void OnTick(long now)
    {
        foreach (var (pid, looks) in taken)
        {
            if (now - looks.Begun >= Interval)
            {
                taken.Remove(pid);
            }
        }
    }
}
