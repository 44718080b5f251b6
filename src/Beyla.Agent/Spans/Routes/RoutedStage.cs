using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// As <see cref="RoutedSink"/>, before a stage of the export thread. Several stages may share a shaper: the first finds the route, and the
/// others have it. Where something is ignored it counts as place <c>routes.traces</c> or <c>routes.metrics</c>, by the signal.
/// </summary>
/// <param name="stage">Gets the spans.</param>
/// <param name="shaper">Knows the routes; of the export thread alone.</param>
/// <param name="signal">What the stage makes of spans.</param>
public sealed class RoutedStage(IExportStage stage, RouteShaper shaper, IgnoredSignals signal) : IExportStage, ICounted
{
    private readonly RouteGate gate = new(
        shaper, signal, signal == IgnoredSignals.Metrics ? "routes.metrics" : "routes.traces");

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        if (gate.Passes(in span))
        {
            stage.OnSpan(in span);
        }
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
    public IEnumerable<PlaceCounters> Count() => shaper.Ignores ? [gate.Count()] : [];
}
