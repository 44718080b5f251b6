using Beyla.Agent.Counting;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export;

/// <summary><c>BEYLA_TRACE_PRINTER=counter</c>: counts spans and shows none.</summary>
public sealed class SpanCounter : IExportSink, ICounted
{
    private long total;

    /// <summary>Spans so far.</summary>
    public long Total => Interlocked.Read(ref total);

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span) => _ = Interlocked.Increment(ref total);

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        var counted = Total;
        return [new PlaceCounters("printer", "spans", counted, Aggregated: counted)];
    }
}
