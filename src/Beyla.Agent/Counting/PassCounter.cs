namespace Beyla.Agent.Counting;

/// <summary>How many items went on and how many were left out. One thread counts; any reads.</summary>
internal sealed class PassCounter
{
    private long passed, filtered;

    /// <summary>Whether anything was left out.</summary>
    public bool HasFiltered => Volatile.Read(ref filtered) > 0;

    /// <summary>Counts an item.</summary>
    /// <param name="passes">Whether it goes on.</param>
    /// <returns>The same.</returns>
    public bool Note(bool passes)
    {
        Snapshot.Add(ref (passes ? ref passed : ref filtered));
        return passes;
    }

    /// <summary>The counters of a place.</summary>
    /// <param name="place">Its name.</param>
    /// <param name="unit">What the items are.</param>
    /// <param name="aggregates">Whether what goes on becomes part of something, and is not handed on one by one.</param>
    public PlaceCounters Count(string place, string unit = "spans", bool aggregates = false)
    {
        var (left, unwanted) = (Volatile.Read(ref passed), Volatile.Read(ref filtered));
        return new PlaceCounters(
            place, unit, left + unwanted, Emitted: aggregates ? 0 : left, Aggregated: aggregates ? left : 0, Filtered: unwanted);
    }
}
