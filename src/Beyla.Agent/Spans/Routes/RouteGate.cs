using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;

namespace Beyla.Agent.Spans.Routes;

/// <summary>Gives spans their route, tells which are left out, and counts both. One thread; counters are read by any.</summary>
/// <param name="shaper">Knows the routes.</param>
/// <param name="signal">What is made of spans behind this.</param>
/// <param name="place">The name of the place that counts.</param>
internal sealed class RouteGate(RouteShaper shaper, IgnoredSignals signal, string place)
{
    private long emitted, filtered;

    /// <summary>Shapes a span.</summary>
    /// <returns>Whether it goes on.</returns>
    public bool Passes(in ExportedSpan span)
    {
        if ((shaper.Shape(in span) & signal) != 0)
        {
            Snapshot.Add(ref filtered);
            return false;
        }

        Snapshot.Add(ref emitted);
        return true;
    }

    /// <summary>The counters of the place.</summary>
    public PlaceCounters Count()
    {
        var (left, unwanted) = (Volatile.Read(ref emitted), Volatile.Read(ref filtered));
        return new PlaceCounters(place, "spans", left + unwanted, Emitted: left, Filtered: unwanted);
    }
}
