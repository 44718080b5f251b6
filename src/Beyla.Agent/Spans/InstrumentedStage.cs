using Beyla.Agent.Counting;

namespace Beyla.Agent.Spans;

/// <summary>
/// Before a stage: it does not get the spans of processes that send the same themselves. Counts as place <c>instrumented.traces</c>, once
/// something was left out.
/// </summary>
/// <param name="stage">Gets the others.</param>
/// <param name="services">Knows which they are.</param>
public sealed class InstrumentedStage(IExportStage stage, InstrumentedServices services) : GatedStage(stage)
{
    private readonly PassCounter counter = new();

    /// <inheritdoc/>
    public override IEnumerable<PlaceCounters> Count() => counter.HasFiltered ? [counter.Count("instrumented.traces")] : [];

    /// <inheritdoc/>
    protected override bool Passes(in ExportedSpan span) => counter.Note((services.Of(span.Process) & LeftOut.Traces) == 0);
}
