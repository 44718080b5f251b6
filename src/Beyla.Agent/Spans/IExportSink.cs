namespace Beyla.Agent.Spans;

/// <summary>Takes spans on their way out: a printer, an exporter. Called on the one tracing thread; must not block.</summary>
public interface IExportSink
{
    void OnSpan(in ExportedSpan span);
}
