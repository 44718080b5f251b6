using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// Gives spans their route before sinks on the tracing thread get them, and leaves out those that are ignored. Stands before printers
/// where routes are configured: else the tracing thread pays nothing. Counts as place <c>routes</c>.
/// </summary>
/// <param name="sinks">Get the spans.</param>
/// <param name="shaper">Knows the routes; of this thread alone.</param>
/// <param name="signal">What the sinks make of spans.</param>
public sealed class RoutedSink(IExportSink[] sinks, RouteShaper shaper, IgnoredSignals signal) : IExportSink, ICounted
{
    private readonly RouteGate gate = new(shaper, signal, "routes");

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
