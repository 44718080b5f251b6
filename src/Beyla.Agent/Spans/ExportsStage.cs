using Beyla.Agent.Counting;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Spans;

/// <summary>
/// Before a stage: it does not get the spans of services whose rule says that its signal does not leave (<c>exports</c>). Counts as place
/// <c>exports.traces</c> or <c>exports.metrics</c>, once something was left out.
/// </summary>
/// <param name="stage">Gets the others.</param>
/// <param name="signal">What the stage makes of spans.</param>
public sealed class ExportsStage(IExportStage stage, ExportedSignals signal) : GatedStage(stage)
{
    private readonly PassCounter counter = new();

    /// <inheritdoc/>
    public override IEnumerable<PlaceCounters> Count() =>
        counter.HasFiltered ? [counter.Count(signal == ExportedSignals.Metrics ? "exports.metrics" : "exports.traces")] : [];

    /// <inheritdoc/>
    protected override bool Passes(in ExportedSpan span) => counter.Note((span.Process.Exports & signal) != 0);
}
