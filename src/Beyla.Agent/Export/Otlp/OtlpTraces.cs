using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Otlp;

/// <summary>Sends spans by OTLP: gathers them in batches, which a thread of its own sends. Counts as place <c>otlp.traces</c>.</summary>
public sealed class OtlpTraces : IExportStage, ICounted, IDisposable
{
    /// <summary>Bytes at which a batch is sent before it has all its spans.</summary>
    private const int LargestBatch = 4 * 1024 * 1024;

    private readonly TracesOptions options;
    private readonly ServiceResources resources;
    private readonly TraceBatch batch;
    private readonly Func<OtlpBatch> take;
    private readonly OtlpSender sender;
    private readonly Func<TraceContext, ProcessInfo, bool>? sampled;
    private readonly WantedProtocols wanted;
    private long batchSince;
    private long filtered;
    private int gathered;

    /// <param name="options">How they are gathered and encoded.</param>
    /// <param name="resources">Says what the processes are; another stage may use it too.</param>
    /// <param name="sender">Sends the batches.</param>
    /// <param name="version">Version of the agent.</param>
    /// <param name="sampled">Whether a trace is sent; null for all.</param>
    /// <param name="attributes">Which attributes spans have; null for those of the default.</param>
    public OtlpTraces(
        TracesOptions options, ServiceResources resources, OtlpSender sender, string version,
        Func<TraceContext, ProcessInfo, bool>? sampled = null, AttributeSelection? attributes = null)
    {
        (this.options, this.resources, this.sender, this.sampled) = (options, resources, sender, sampled);
        batch = new TraceBatch(new SpanEncoder(attributes ?? AttributeSelection.None, options.ValueLimit, options.CountLimit), version);
        take = batch.Take;
        wanted = new WantedProtocols(options.Instrumentations);
    }

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        if (!wanted.Has(span.Span.Protocol) || (sampled is not null && !sampled(span.Span.Context, span.Process)))
        {
            Snapshot.Add(ref filtered);
            return;
        }

        if (batch.Spans == 0)
        {
            batchSince = Environment.TickCount64;
        }

        batch.Add(in span, resources.Of(span.Process));
        Volatile.Write(ref gathered, batch.Spans);
        if (batch.Spans >= options.BatchSize || batch.Bytes >= LargestBatch)
        {
            Pass();
        }
    }

    /// <inheritdoc/>
    public long Tick(long now)
    {
        if (batch.Spans == 0)
        {
            return long.MaxValue;
        }

        var due = batchSince + (long)options.BatchDelay.TotalMilliseconds;
        if (due > now)
        {
            return due;
        }

        Pass();
        return long.MaxValue;
    }

    /// <inheritdoc/>
    public void HandOver()
    {
        if (batch.Spans > 0)
        {
            Pass();
        }
    }

    /// <inheritdoc/>
    public void Finish(long deadline)
    {
        HandOver();
        sender.Stop(deadline);
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        // What came is the sum of what became of it.
        var (sent, lost, held) = sender.Count();
        var (waiting, unwanted) = (held + Volatile.Read(ref gathered), Volatile.Read(ref filtered));
        return [new PlaceCounters("otlp.traces", "spans", sent + unwanted + lost + waiting,
            Emitted: sent, Filtered: unwanted, Lost: lost, Held: waiting)];
    }

    /// <inheritdoc/>
    public void Dispose() => sender.Dispose();

    private void Pass()
    {
        if (!sender.TryAdd(batch.Spans, batch.Bytes, take))
        {
            batch.Drop();
        }

        Volatile.Write(ref gathered, 0);
    }
}
