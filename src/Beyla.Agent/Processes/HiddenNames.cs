namespace Beyla.Agent.Processes;

/// <summary>
/// Says once for each executable that the name of its processes cannot be known. Of one that began when the kernel
/// side watched already it would have been seen, so there is nothing to say: it has none.
/// </summary>
internal sealed class HiddenNames(ProcReader proc, ProcessTableOptions options)
{
    private const int MaximumTold = 256;

    private readonly HashSet<string> told = new(StringComparer.Ordinal);

    /// <param name="pid">A process that has written over its environment.</param>
    /// <param name="executable">Its executable.</param>
    public void Tell(int pid, string executable)
    {
        if (told.Count >= MaximumTold || !proc.TryStat(pid, out var stat) || stat.StartTime >= options.StartsSeenFrom)
        {
            return;
        }

        if (told.Add(executable))
        {
            options.NameHidden?.Invoke(executable);
        }
    }
}
