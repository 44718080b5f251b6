using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Metrics;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Sends all series by OTLP, each time all of them in one request, by the clock and at the end (OpenTelemetry specification, "Periodic
/// exporting MetricReader"). A thread of its own carries the requests. Counts the points as place <c>otlp.metrics</c>.
/// </summary>
public sealed class OtlpMetrics : IExportStage, ICounted, IDisposable
{
    private readonly MetricStore store;
    private readonly OtlpSender sender;
    private readonly MetricEncoder encoder;
    private readonly ProtobufWriter request = new();
    private readonly long interval;
    private readonly bool countsFromLast;
    private readonly StageMetrics? stages;
    private long due;
    private bool isOver;

    /// <param name="store">The series; held up while they are written.</param>
    /// <param name="options">How often they are sent, and from where they count.</param>
    /// <param name="sender">Sends the requests.</param>
    /// <param name="version">Version of the agent.</param>
    /// <param name="stages">Are measured before each request; null where they are not sent.</param>
    public OtlpMetrics(MetricStore store, MetricsExport options, OtlpSender sender, string version, StageMetrics? stages = null)
    {
        (this.store, this.sender, interval) = (store, sender, (long)options.Interval.TotalMilliseconds);
        this.stages = stages;
        encoder = new MetricEncoder(version, options.Temporality);
        countsFromLast = options.Temporality != MetricTemporality.Cumulative;
        due = Environment.TickCount64 + this.interval;
    }

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        // The store has it from the stage that makes metrics.
    }

    /// <inheritdoc/>
    public void OnEnd(ProcessInfo process)
    {
        // As above.
    }

    /// <inheritdoc/>
    public long Tick(long now)
    {
        if (now >= due)
        {
            Send();
            // What was sent a last time goes. Where there are only flows nobody else does this.
            store.Expire(now);
            // After a long pause (the host slept) once, not as often as was missed.
            due = due + interval > now ? due + interval : now + interval;
        }

        return due;
    }

    /// <inheritdoc/>
    public void HandOver()
    {
        if (!isOver)
        {
            isOver = true;
            Send();
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
        return [new PlaceCounters("otlp.metrics", "points", sent + lost + held, Emitted: sent, Lost: lost, Held: held)];
    }

    /// <inheritdoc/>
    public void Dispose() => sender.Dispose();

    private void Send()
    {
        request.Clear();
        stages?.Measure();
        // One hold of the lock: a process that ends between the two would count as sent without its last values.
        using (store.Enter())
        {
            var now = MetricStore.Time;
            var points = encoder.Write(store, request, now);
            // Of points that count from the last request the next one has what this one leaves, if there is a next one.
            var isKept = countsFromLast && !isOver;
            if (points == 0 || sender.TryAdd(
                points, request.Length, () => new OtlpBatch(request.Copy(), request.Length, points), isKept))
            {
                store.CountSend();
                encoder.Confirm(store, now);
            }
        }
    }
}
