using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans;

/// <summary>Takes spans on their way out: a printer, an exporter. Called on the one tracing thread; must not block.</summary>
public interface IExportSink
{
    /// <summary>Takes one span, which is valid only during the call.</summary>
    void OnSpan(in ExportedSpan span);

    /// <summary>
    /// A traced process is over, or runs another program: no more spans of it come. Told once for each, some seconds after its end.
    /// </summary>
    void OnEnd(ProcessInfo process)
    {
    }

    /// <summary>No more spans come for now: those that came are to become visible. Called after each batch; must not block.</summary>
    void Flush()
    {
    }
}
