using Beyla.Agent.Counting;

namespace Beyla.Agent.Spans.Filters;

/// <summary>
/// Before sinks on the tracing thread: they get the spans that meet the conditions. Stands before printers, behind routes, where conditions
/// are set. Counts as place <c>filter</c>.
/// </summary>
/// <param name="sinks">Get the spans.</param>
/// <param name="filter">The conditions; of this thread alone.</param>
public sealed class FilteredSink(IExportSink[] sinks, SpanFilter filter) : GatedSink(sinks)
{
    private readonly PassCounter counter = new();

    /// <inheritdoc/>
    public override IEnumerable<PlaceCounters> Count() => [counter.Count("filter")];

    /// <inheritdoc/>
    protected override bool Passes(in ExportedSpan span) => counter.Note(filter.Passes(in span));
}
