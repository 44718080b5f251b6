using Beyla.Agent.Counting;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans;

/// <summary>Before a stage of the export thread, which gets only some spans; everything else goes through.</summary>
/// <param name="stage">Gets the spans that pass.</param>
public abstract class GatedStage(IExportStage stage) : IExportStage, ICounted
{
    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        if (Passes(in span))
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
    public abstract IEnumerable<PlaceCounters> Count();

    /// <summary>Whether a span goes on; counts it.</summary>
    protected abstract bool Passes(in ExportedSpan span);
}
