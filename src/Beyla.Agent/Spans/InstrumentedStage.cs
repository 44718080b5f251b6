using Beyla.Agent.Counting;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans;

/// <summary>
/// Before a stage: it does not get the spans of processes that send the same themselves. Counts as place <c>instrumented.traces</c>, once
/// something was left out.
/// </summary>
/// <param name="stage">Gets the others.</param>
/// <param name="services">Knows which they are.</param>
public sealed class InstrumentedStage(IExportStage stage, InstrumentedServices services) : IExportStage, ICounted
{
    private long emitted, filtered;

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        if ((services.Of(span.Process) & LeftOut.Traces) != 0)
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
        return unwanted > 0 ? [new PlaceCounters("instrumented.traces", "spans", left + unwanted, Emitted: left, Filtered: unwanted)] : [];
    }
}
