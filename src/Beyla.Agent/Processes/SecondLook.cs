namespace Beyla.Agent.Processes;

/// <summary>
/// Processes to look at once more. Right after execve a process has mapped its executable and the dynamic linker, and not yet libjvm.so or
/// libcoreclr.so: the runtime shows a moment later.
/// </summary>
internal sealed class SecondLook
{
    /// <summary>Of more processes in one interval the language stays what was seen first.</summary>
    internal const int Maximum = 8192;

    private const long Second = 1_000_000_000;

    // One queue per delay, so that each is in order of time.
    private readonly (long Delay, Queue<(long Due, int Pid, long Since)> Waiting)[] delays =
        [(Second / 2, new()), (3 * Second, new()), (10 * Second, new())];

    /// <param name="pid">The process.</param>
    /// <param name="since">Its <see cref="ProcessEntry.Since"/>, which tells it from a later one of the same pid.</param>
    /// <param name="now">CLOCK_MONOTONIC, ns.</param>
    internal void Add(int pid, long since, long now)
    {
        foreach (var (delay, waiting) in delays)
        {
            if (waiting.Count < Maximum)
            {
                waiting.Enqueue((now + delay, pid, since));
            }
        }
    }

    /// <summary>Takes a process that is due; false when none is at this moment (CLOCK_MONOTONIC, ns).</summary>
    internal bool TryTake(long now, out int pid, out long since)
    {
        foreach (var (_, waiting) in delays)
        {
            if (waiting.TryPeek(out var next) && next.Due <= now)
            {
                (_, pid, since) = waiting.Dequeue();
                return true;
            }
        }

        (pid, since) = (0, 0);
        return false;
    }
}
