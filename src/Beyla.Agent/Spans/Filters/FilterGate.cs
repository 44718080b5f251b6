using Beyla.Agent.Counting;

namespace Beyla.Agent.Spans.Filters;

/// <summary>Tells which spans meet the conditions, and counts. One thread; counters are read by any.</summary>
/// <param name="filter">The conditions; of this thread alone.</param>
/// <param name="place">The name of the place that counts.</param>
internal sealed class FilterGate(SpanFilter filter, string place)
{
    private long emitted, filtered;

    /// <summary>Whether a span goes on.</summary>
    public bool Passes(in ExportedSpan span)
    {
        var passes = filter.Passes(in span);
        Snapshot.Add(ref (passes ? ref emitted : ref filtered));
        return passes;
    }

    /// <summary>The counters of the place.</summary>
    public PlaceCounters Count()
    {
        var (left, unwanted) = (Volatile.Read(ref emitted), Volatile.Read(ref filtered));
        return new PlaceCounters(place, "spans", left + unwanted, Emitted: left, Filtered: unwanted);
    }
}
