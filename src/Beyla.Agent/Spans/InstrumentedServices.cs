using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Logging;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans;

/// <summary>
/// Which processes send OpenTelemetry data themselves, as their own requests tell: a POST to a path that ends in <c>/v1/traces</c> or
/// <c>/v1/metrics</c> (OpenTelemetry Protocol specification, "OTLP/HTTP Request") that was answered with success. What they send is left
/// out, from that request on until they end, since it would be there twice (<c>discovery.exclude_otel_instrumented_services</c>). As a
/// stage it stands before those that ask it, so that the request itself is left out too. One thread; does not allocate per span.
/// </summary>
/// <param name="ofTraces">What is left out of those that send spans.</param>
/// <param name="ofMetrics">What is left out of those that send metrics.</param>
public sealed class InstrumentedServices(LeftOut ofTraces, LeftOut ofMetrics) : IExportStage
{
    /// <summary>Those beyond are exported.</summary>
    private const int MaximumKept = 65536;

    /// <summary>Those beyond are left out without a word: a program that is started for each request would fill the log.</summary>
    private const int MaximumTold = 200;

    private readonly Dictionary<int, LeftOut> kept = []; // by process id
    private int told;

    /// <summary>Makes what is configured; null where nothing would be left out of anything.</summary>
    public static InstrumentedServices? Make(AgentConfiguration configuration)
    {
        var (shaping, metrics) = (configuration.Shaping, configuration.Metrics);
        var features = metrics.TakesSpans ? metrics.Features | metrics.ServiceFeatures : MetricFeatures.None;
        var (ofTraces, ofMetrics) = (LeftOut.None, LeftOut.None);
        if (shaping.ExcludesInstrumented)
        {
            ofTraces |= configuration.Traces is null ? LeftOut.None : LeftOut.Traces;
            ofMetrics |= features.HasFlag(MetricFeatures.Application) ? LeftOut.Metrics : LeftOut.None;
        }

        const MetricFeatures OfSpans = MetricFeatures.OfSpans & ~(MetricFeatures.Application | MetricFeatures.ApplicationProcess);
        if (shaping.ExcludesInstrumentedOfSpanMetrics && (features & OfSpans) != 0)
        {
            ofTraces |= LeftOut.SpanMetrics;
        }

        return (ofTraces | ofMetrics) == LeftOut.None ? null : new InstrumentedServices(ofTraces, ofMetrics);
    }

    /// <summary>What is left out of a process.</summary>
    public LeftOut Of(ProcessInfo process) => kept.Count == 0 ? LeftOut.None : kept.GetValueOrDefault(process.Pid);

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        ref readonly var data = ref span.Span;
        if (data.Protocol != ProtocolId.Http || data.Kind != SpanKind.Client)
        {
            return;
        }

        var path = data.Values.Text(SpanAttribute.UrlPath);
        var what = path.EndsWith("/v1/traces"u8) ? ofTraces : path.EndsWith("/v1/metrics"u8) ? ofMetrics : LeftOut.None;
        // What the receiver refuses is nowhere else.
        if (what == LeftOut.None || data.Values.Number(SpanAttribute.HttpResponseStatusCode, 0) is < 200 or > 299
            || !data.Values.Text(SpanAttribute.HttpRequestMethod).SequenceEqual("POST"u8))
        {
            return;
        }

        var before = Of(span.Process);
        if ((what & ~before) != 0 && (before != LeftOut.None || kept.Count < MaximumKept))
        {
            kept[span.Process.Pid] = before | what;
            Tell(span.Process, what);
        }
    }

    /// <summary>A process is over, or runs another program: nothing is known of that one.</summary>
    public void OnEnd(ProcessInfo process) => _ = kept.Remove(process.Pid);

    /// <inheritdoc/>
    public long Tick(long now) => long.MaxValue;

    /// <inheritdoc/>
    public void Finish(long deadline)
    {
    }

    private void Tell(ProcessInfo process, LeftOut what)
    {
        if (++told > MaximumTold)
        {
            return;
        }

        Log.Info(
            "A process sends OpenTelemetry data itself and is left out",
            ("pid", process.Pid), ("service", process.ServiceName), ("of", NameOf(what)),
            ("setting", (what & ~LeftOut.SpanMetrics) != 0
                ? "discovery.exclude_otel_instrumented_services" : "discovery.exclude_otel_instrumented_services_span_metrics"),
            ("next", told < MaximumTold ? "false keeps it in" : "false keeps it in; further ones are not named"));
    }

    private static string NameOf(LeftOut what) => what switch
    {
        LeftOut.Traces => "traces",
        LeftOut.Metrics => "metrics",
        LeftOut.SpanMetrics => "span metrics",
        _ => "traces, span metrics",
    };
}
