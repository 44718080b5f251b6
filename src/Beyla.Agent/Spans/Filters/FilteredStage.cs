using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;

namespace Beyla.Agent.Spans.Filters;

/// <summary>
/// As <see cref="FilteredSink"/>, before a stage of the export thread. Counts as the place that it is given.
/// </summary>
/// <param name="stage">Gets the spans.</param>
/// <param name="filter">The conditions; of the export thread alone.</param>
/// <param name="place"><c>filter.traces</c>, <c>filter.metrics</c>.</param>
public sealed class FilteredStage(IExportStage stage, SpanFilter filter, string place) : GatedStage(stage)
{
    private readonly PassCounter counter = new();

    /// <summary>Makes one.</summary>
    /// <param name="stage">Gets the spans.</param>
    /// <param name="conditions">What is configured.</param>
    /// <param name="place">The name of the place that counts.</param>
    /// <returns>Null where there are no conditions.</returns>
    public static FilteredStage? Before(IExportStage stage, IReadOnlyList<AttributeCondition> conditions, string place) =>
        conditions.Count == 0 ? null : new FilteredStage(stage, new SpanFilter(conditions), place);

    /// <inheritdoc/>
    public override IEnumerable<PlaceCounters> Count() => [counter.Count(place)];

    /// <inheritdoc/>
    protected override bool Passes(in ExportedSpan span) => counter.Note(filter.Passes(in span));
}
