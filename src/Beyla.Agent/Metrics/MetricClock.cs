using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>Ends series by the clock where nothing else of the export thread does: there are flows or TCP statistics alone.</summary>
/// <param name="store">Has them.</param>
internal sealed class MetricClock(MetricStore store) : IExportStage
{
    /// <summary>How often it is looked for what is over, in milliseconds.</summary>
    private const long Interval = 1000;

    private long due = Environment.TickCount64;

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
    }

    /// <inheritdoc/>
    public long Tick(long now)
    {
        if (now >= due)
        {
            store.Expire(now);
            due = now + Interval;
        }

        return due;
    }

    /// <inheritdoc/>
    public void Finish(long deadline)
    {
    }
}
