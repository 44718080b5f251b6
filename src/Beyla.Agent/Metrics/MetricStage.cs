using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>Makes metrics of spans.</summary>
/// <param name="store">Keeps them.</param>
/// <param name="services">The resources of processes.</param>
/// <param name="metrics">Which.</param>
/// <param name="processes">That of these which measures by the clock; null where there is none.</param>
internal sealed class MetricStage(MetricStore store, ServiceResources services, ISpanMetrics[] metrics, ProcessMetrics? processes)
    : IExportStage
{
    /// <summary>How often it is looked for what is over, in milliseconds.</summary>
    private const long Interval = 1000;

    private long due = Environment.TickCount64 + Interval;

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        var service = services.Of(span.Process);
        ref readonly var data = ref span.Span;
        var host = data.Kind == SpanKind.Client ? HostName.Of(data.Values.Text(SpanAttribute.HttpRequestHeaderHost)) : default;
        using (store.Enter())
        {
            var resource = store.Of(service);
            foreach (var one in metrics)
            {
                one.OnSpan(in span, service, resource, in host);
            }
        }
    }

    /// <inheritdoc/>
    public void OnEnd(ProcessInfo process)
    {
        processes?.End(process);
        store.End(process);
    }

    /// <inheritdoc/>
    public long Tick(long now)
    {
        if (now >= due)
        {
            store.Expire(now);
            due = now + Interval;
        }

        return processes is null ? due : Math.Min(due, processes.Tick(now));
    }

    /// <inheritdoc/>
    public void HandOver() => processes?.Measure();

    /// <inheritdoc/>
    public void Finish(long deadline)
    {
    }
}
