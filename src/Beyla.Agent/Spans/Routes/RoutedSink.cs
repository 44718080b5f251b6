using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// Gives spans their route before sinks on the tracing thread get them, and leaves out those that are ignored. Stands before printers
/// where routes are configured: else the tracing thread pays nothing. Counts as place <c>routes</c>.
/// </summary>
/// <param name="sinks">Get the spans.</param>
/// <param name="shaper">Knows the routes; of this thread alone.</param>
/// <param name="signal">What the sinks make of spans.</param>
public sealed class RoutedSink(IExportSink[] sinks, RouteShaper shaper, IgnoredSignals signal) : GatedSink(sinks)
{
    private readonly PassCounter counter = new();

    /// <inheritdoc/>
    public override IEnumerable<PlaceCounters> Count() => [counter.Count("routes")];

    /// <inheritdoc/>
    protected override bool Passes(in ExportedSpan span) => counter.Note((shaper.Shape(in span) & signal) == 0);
}
