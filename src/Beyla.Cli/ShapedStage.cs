using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Selection;
using Beyla.Agent.Spans;
using Beyla.Agent.Spans.Filters;
using Beyla.Agent.Spans.Routes;

namespace Beyla.Cli;

/// <summary>
/// A stage that sends or counts spans, behind what shapes and chooses them: what rules say of exports, routes, the filter. Each counts
/// before what is behind it.
/// </summary>
internal sealed class ShapedStage
{
    private ShapedStage(IExportStage first, IReadOnlyList<ICounted> gates) => (First, Gates) = (first, gates);

    /// <summary>Gets the spans.</summary>
    public IExportStage First { get; }

    /// <summary>What is before the stage, in the order of the pipeline.</summary>
    public IReadOnlyList<ICounted> Gates { get; }

    /// <summary>Spans that did not come to the stage.</summary>
    public long Filtered => Gates.SelectMany(static gate => gate.Count()).Sum(static place => place.Filtered);

    /// <summary>Puts it together.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="signal">What it makes of spans: <see cref="IgnoredSignals.Traces"/> or <see cref="IgnoredSignals.Metrics"/>.</param>
    /// <param name="routes">Knows the routes; of the thread of the stage.</param>
    /// <param name="conditions">The filter.</param>
    /// <param name="hasOwnExports">Whether rules say which signals of their services leave.</param>
    public static ShapedStage Before(
        IExportStage stage, IgnoredSignals signal, RouteShaper routes, IReadOnlyList<AttributeCondition> conditions,
        bool hasOwnExports = false)
    {
        var isMetrics = signal == IgnoredSignals.Metrics;
        var filtered = FilteredStage.Before(stage, conditions, isMetrics ? "filter.metrics" : "filter.traces");
        var routed = new RoutedStage(filtered ?? stage, routes, signal);
        // Routes are found for those alone that go on.
        var chosen = hasOwnExports ? new ExportsStage(routed, isMetrics ? ExportedSignals.Metrics : ExportedSignals.Traces) : null;
        ICounted?[] gates = [chosen, routed, filtered];
        return new ShapedStage(chosen ?? (IExportStage)routed, [.. gates.OfType<ICounted>()]);
    }
}
