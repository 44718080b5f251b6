using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans.Filters;

/// <summary>
/// As <see cref="FilteredSink"/>, before a stage of the export thread. Counts as the place that it is given.
/// </summary>
/// <param name="stage">Gets the spans.</param>
/// <param name="filter">The conditions; of the export thread alone.</param>
/// <param name="place"><c>filter.traces</c>, <c>filter.metrics</c>.</param>
public sealed class FilteredStage(IExportStage stage, SpanFilter filter, string place) : IExportStage, ICounted
{
    private readonly FilterGate gate = new(filter, place);

    /// <summary>Makes one.</summary>
    /// <param name="stage">Gets the spans.</param>
    /// <param name="conditions">What is configured.</param>
    /// <param name="place">The name of the place that counts.</param>
    /// <returns>Null where there are no conditions.</returns>
    public static FilteredStage? Before(IExportStage stage, IReadOnlyList<AttributeCondition> conditions, string place) =>
        conditions.Count == 0 ? null : new FilteredStage(stage, new SpanFilter(conditions), place);

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
    public IEnumerable<PlaceCounters> Count() => [gate.Count()];
}
