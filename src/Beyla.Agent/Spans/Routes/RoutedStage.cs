using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// As <see cref="RoutedSink"/>, before a stage of the export thread. Several stages may share a shaper: the first finds the route, and the
/// others have it. Where something is ignored it counts as place <c>routes.traces</c> or <c>routes.metrics</c>, by the signal.
/// </summary>
/// <param name="stage">Gets the spans.</param>
/// <param name="shaper">Knows the routes; of the export thread alone.</param>
/// <param name="signal">What the stage makes of spans.</param>
public sealed class RoutedStage(IExportStage stage, RouteShaper shaper, IgnoredSignals signal) : GatedStage(stage)
{
    private readonly PassCounter counter = new();

    /// <inheritdoc/>
    public override IEnumerable<PlaceCounters> Count() =>
        shaper.Ignores ? [counter.Count(signal == IgnoredSignals.Metrics ? "routes.metrics" : "routes.traces")] : [];

    /// <inheritdoc/>
    protected override bool Passes(in ExportedSpan span) => counter.Note((shaper.Shape(in span) & signal) == 0);
}
