using Beyla.Agent.Counting;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans;

/// <summary>As <see cref="GatedStage"/>, before sinks on the tracing thread.</summary>
/// <param name="sinks">Get the spans that pass.</param>
public abstract class GatedSink(IExportSink[] sinks) : IExportSink, ICounted
{
    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        if (!Passes(in span))
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
    public abstract IEnumerable<PlaceCounters> Count();

    /// <summary>Whether a span goes on; counts it.</summary>
    protected abstract bool Passes(in ExportedSpan span);
}
