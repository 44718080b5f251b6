namespace Beyla.Agent.Processes;

/// <summary>
/// The names of the services of the traced processes, for other threads than the agent's: a look sees one whole
/// state, which is replaced when something changed and never altered.
/// </summary>
public sealed class ServiceSnapshot
{
    private Dictionary<int, string> current = [];

    /// <summary>The service of a traced process, also of one that ended a moment ago; null when it is not traced. Any thread.</summary>
    /// <param name="pid">Thread group id in the initial pid namespace.</param>
    public string? Find(int pid) => Volatile.Read(ref current).GetValueOrDefault(pid);

    /// <summary>Puts what the table knows now in place of what it knew. Agent thread; allocates only when something changed.</summary>
    internal void Publish(Dictionary<int, ProcessEntry> entries)
    {
        var count = 0;
        var same = true;
        foreach (var entry in entries.Values)
        {
            if (entry is { IsAwaited: false, Info: { } info })
            {
                count++;
                same = same && current.TryGetValue(entry.Pid, out var name) && name == info.ServiceName;
            }
        }

        if (same && count == current.Count)
        {
            return;
        }

        var next = new Dictionary<int, string>(count);
        foreach (var entry in entries.Values)
        {
            if (entry is { IsAwaited: false, Info: { } info })
            {
                next[entry.Pid] = info.ServiceName;
            }
        }

        Volatile.Write(ref current, next);
    }
}
