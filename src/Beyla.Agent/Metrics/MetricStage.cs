using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Flows;
using Beyla.Agent.Processes;
using Beyla.Agent.Selection;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>Makes metrics of spans.</summary>
/// <param name="store">Keeps them.</param>
/// <param name="services">The resources of processes.</param>
/// <param name="groups">Which.</param>
/// <param name="features">Those that processes have whose rule does not say it.</param>
/// <param name="instrumented">Which processes are left out of them; null for none.</param>
/// <param name="wanted">The protocols that are in them.</param>
/// <param name="processes">That of these which measures by the clock; null where there is none.</param>
/// <param name="names">Names of addresses, which stand for hosts that requests do not name; null where nobody asks.</param>
internal sealed class MetricStage(
    MetricStore store, ServiceResources services, MetricGroup[] groups, MetricFeatures features, InstrumentedServices? instrumented,
    WantedProtocols wanted, ProcessMetrics? processes, ReverseNames? names = null) : IExportStage, ICounted, IDisposable
{
    /// <summary>How often it is looked for what is over, in milliseconds.</summary>
    private const long Interval = 1000;

    private readonly PassCounter ofWantedProtocols = new();
    private readonly Utf8Room text = new();
    private long due = Environment.TickCount64 + Interval;

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        if (!ofWantedProtocols.Note(wanted.Has(span.Span.Protocol)))
        {
            return;
        }

        var leftOut = instrumented?.Of(span.Process) ?? LeftOut.None;
        if (leftOut != LeftOut.None && IsLeftOut(leftOut))
        {
            foreach (var group in groups)
            {
                group.LeaveOut();
            }

            // What was counted until it was known is sent and read once more, and goes then.
            store.End(span.Process);
            return;
        }

        var wantedGroups = span.Process.Features ?? features;
        if ((wantedGroups & MetricFeatures.OfSpans) == 0)
        {
            return;
        }

        var service = services.Of(span.Process);
        ref readonly var data = ref span.Span;
        var host = data.Kind == SpanKind.Client ? HostName.Of(data.Values.Text(SpanAttribute.HttpRequestHeaderHost)) : default;
        if (host.Name.IsEmpty && names is not null)
        {
            host = Resolved(in data, names);
        }

        using (store.Enter())
        {
            var resource = store.Of(service);
            foreach (var group in groups)
            {
                if ((wantedGroups & group.Features) == 0)
                {
                    continue;
                }

                if ((leftOut & group.LeftOut) == 0)
                {
                    group.OnSpan(wantedGroups, in span, service, resource, in host);
                }
                else
                {
                    group.LeaveOut();
                }
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

    /// <inheritdoc/>
    public void Dispose() => names?.Dispose();

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count() =>
    [
        .. ofWantedProtocols.HasFiltered
            ? (PlaceCounters[])[ofWantedProtocols.Count("metrics.instrumentations", aggregates: true)] : [],
        .. groups.SelectMany(static group => group.Count()),
    ];

    /// <summary>The other side by the name of its address: that of the socket, not what a proxy says, which may be any.</summary>
    private HostName Resolved(in SpanData data, ReverseNames resolver)
    {
        var isClient = data.Kind == SpanKind.Client;
        var name = resolver.Find(isClient ? data.ServerAddress : data.PeerAddress);
        return name is null ? default : HostName.OfResolved(text.Encode(name), isClient ? data.ServerPort : 0);
    }

    /// <summary>Whether all of it leaves the process out.</summary>
    private bool IsLeftOut(LeftOut leftOut)
    {
        foreach (var group in groups)
        {
            if ((leftOut & group.LeftOut) == 0)
            {
                return false;
            }
        }

        return true;
    }
}
