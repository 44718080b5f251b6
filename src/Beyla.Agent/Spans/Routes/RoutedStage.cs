using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// As <see cref="RoutedSink"/>, before a stage of the export thread. Several stages may share a shaper: the first finds the route, and the
/// others have it. Counts as place <c>routes</c> where something is ignored.
/// </summary>
/// <param name="stage">Gets the spans.</param>
/// <param name="shaper">Knows the routes; of the export thread alone.</param>
/// <param name="signal">What the stage makes of spans.</param>
public sealed class RoutedStage(IExportStage stage, RouteShaper shaper, IgnoredSignals signal) : IExportStage, ICounted
{
    private long emitted, filtered;

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        if ((shaper.Shape(in span) & signal) != 0)
        {
            Snapshot.Add(ref filtered);
            return;
        }

        Snapshot.Add(ref emitted);
        stage.OnSpan(in span);
    }

    /// <inheritdoc/>
    public void OnEnd(ProcessInfo process) => stage.OnEnd(process);

    /// <inheritdoc/>
    public void Flush() => stage.Flush();

    /// <inheritdoc/>
    public long Tick(long now) => stage.Tick(now);

    /// <inheritdoc/>
    public void HandOver() => stage.HandOver();

    /// <inheritdoc/>
    public void Finish(long deadline) => stage.Finish(deadline);

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        var (left, unwanted) = (Volatile.Read(ref emitted), Volatile.Read(ref filtered));
        return shaper.Ignores
            ? [new PlaceCounters(signal == IgnoredSignals.Metrics ? "routes.metrics" : "routes.traces", "spans", left + unwanted,
                Emitted: left, Filtered: unwanted)]
            : [];
    }
}
