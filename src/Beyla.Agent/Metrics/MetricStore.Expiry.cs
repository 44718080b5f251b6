using Beyla.Agent.Processes;

namespace Beyla.Agent.Metrics;

/// <summary>
/// What is forgotten, and when: the series of a process with its end, since those of one that lives are still counted on (rate() of a
/// counter that comes and goes is wrong). Time alone ends series only where nothing else would, and where room is needed.
/// </summary>
public sealed partial class MetricStore
{
    /// <summary>Pages on which a process that is over is still shown: the last values, and once more where one was not read well.</summary>
    private const int LastReads = 2;

    /// <summary>How long a process that is over waits for them where time ends nothing else.</summary>
    private static readonly TimeSpan Unread = TimeSpan.FromMinutes(5);

    /// <summary>A process is over.</summary>
    public void End(ProcessInfo process)
    {
        using (Enter())
        {
            // It may be said more than once.
            if (processes.Remove(process.Pid, out var known))
            {
                (lastProcess, lastResource) = (null, null);
                Leave(known.Resource);
            }
        }
    }

    private void Leave(MetricResource resource)
    {
        // The agent, which has those for which there is no room, lives in any case.
        if (resource != Agent && --resource.Living == 0)
        {
            resource.EndedAt = Environment.TickCount64;
        }
    }

    /// <summary>A page of all series was read. Under the lock.</summary>
    public void CountRead()
    {
        foreach (var resource in resources.Values)
        {
            if (resource.Living == 0)
            {
                resource.ReadsSinceEnd++;
            }
        }
    }

    /// <summary>All series were given to who sends them. Under the lock.</summary>
    public void CountSend()
    {
        foreach (var resource in resources.Values)
        {
            resource.IsSentSinceEnd |= resource.Living == 0;
        }
    }

    /// <summary>Forgets what is over. To be called every few seconds.</summary>
    /// <param name="time">Milliseconds, as <see cref="Environment.TickCount64"/>.</param>
    public void Expire(long time)
    {
        using (Enter())
        {
            now = time;
            foreach (var family in families)
            {
                Remove(family, series => IsOver(series.Resource) || IsIdle(series));
            }

            List<(string, string)>? gone = null;
            foreach (var (identity, resource) in resources)
            {
                if (IsOver(resource))
                {
                    (gone ??= []).Add(identity);
                }
            }

            gone?.ForEach(identity => resources.Remove(identity));
        }
    }

    private static void Remove(MetricFamily family, Predicate<Series> isOver)
    {
        _ = family.Remove(series =>
        {
            if (series.IsOverflow || !isOver(series))
            {
                return false;
            }

            series.Resource.Remove(series);
            return true;
        });
    }

    private bool IsOver(MetricResource resource)
    {
        if (resource.Living > 0)
        {
            return false;
        }

        if (options.IsSent && !resource.IsSentSinceEnd)
        {
            return false; // this comes, by the clock
        }

        var since = now - resource.EndedAt;
        return (since >= options.Grace.TotalMilliseconds && (!options.IsRead || resource.ReadsSinceEnd >= LastReads))
            || since >= (options.Idle > TimeSpan.Zero ? options.Idle : Unread).TotalMilliseconds;
    }

    private bool IsIdle(Series series) =>
        (options.ExpiresOfLiving || series.Resource == Agent) && !series.Family.Definition.IsLasting && options.Idle > TimeSpan.Zero
        && now - series.LastSeen >= options.Idle.TotalMilliseconds;

    /// <summary>Gives up series without news for the sake of new ones.</summary>
    private bool TryMakeRoom(MetricFamily family)
    {
        if (options.Idle <= TimeSpan.Zero || now < family.NextLook)
        {
            return false;
        }

        // A metric that is full is asked for room by each new series: once a second is enough to look through all.
        family.NextLook = now + 1000;
        Remove(family, series => now - series.LastSeen >= options.Idle.TotalMilliseconds);
        return family.Series.Count - (family.Overflow is null ? 0 : 1) < options.Cardinality;
    }
}
