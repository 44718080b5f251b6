using Beyla.Agent.Counting;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans.Filters;

/// <summary>
/// Before sinks on the tracing thread: they get the spans that meet the conditions. Stands before printers, behind routes, where conditions
/// are set. Counts as place <c>filter</c>.
/// </summary>
/// <param name="sinks">Get the spans.</param>
/// <param name="filter">The conditions; of this thread alone.</param>
public sealed class FilteredSink(IExportSink[] sinks, SpanFilter filter) : IExportSink, ICounted
{
    private readonly FilterGate gate = new(filter, "filter");

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        if (!gate.Passes(in span))
        {
            return;
        }

        foreach (var sink in sinks)
        {
            sink.OnSpan(in span);
        }
    }

    /// <inheritdoc/>
    public void OnEnd(ProcessInfo process)
    {
        foreach (var sink in sinks)
        {
            sink.OnEnd(process);
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
        foreach (var sink in sinks)
        {
            sink.Flush();
        }
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count() => [gate.Count()];
}
