using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// Metrics of spans by their names, whatever their protocol, with the names and labels of Grafana Beyla and Tempo:
/// <c>traces_spanmetrics_latency</c>, <c>_calls_total</c>, <c>_size_total</c>, <c>_response_size_total</c>.
/// </summary>
internal sealed class SpanMetrics : ISpanMetrics
{
    private static readonly MetricAttribute[] Labels = ["service", "service_namespace", "span_name", "span_kind", "status_code"];

    private readonly MetricStore store;
    private readonly SpanNameLimit names;
    private readonly MetricFamily? latency, calls, size, responseSize;

    /// <param name="store">Keeps them.</param>
    /// <param name="features">Which.</param>
    /// <param name="durations">Bounds, in seconds.</param>
    /// <param name="names">Span names of a service that are told apart; 0 or less is no limit.</param>
    public SpanMetrics(MetricStore store, MetricFeatures features, IReadOnlyList<double> durations, int names)
    {
        (this.store, this.names) = (store, new SpanNameLimit(names));
        var isNew = features.HasFlag(MetricFeatures.ApplicationSpanOtel);
        if (isNew || features.HasFlag(MetricFeatures.ApplicationSpan))
        {
            latency = store.Add(new MetricDefinition
            {
                Name = isNew ? "traces.span.metrics.duration" : "traces_spanmetrics_latency", Unit = "s", Kind = MetricKind.Histogram,
                PrometheusName = isNew ? "traces_span_metrics_duration_seconds" : "traces_spanmetrics_latency",
                Description = "Duration of spans, in seconds.", Buckets = new(durations, 1_000_000), Attributes = Labels,
            });
            calls = store.Add(Counter(isNew ? "traces.span.metrics.calls" : "traces_spanmetrics_calls", "",
                isNew ? "traces_span_metrics_calls" : "traces_spanmetrics_calls", "Number of spans."));
        }

        if (features.HasFlag(MetricFeatures.ApplicationSpanSizes))
        {
            size = store.Add(Counter("traces_spanmetrics_size", "By", "traces_spanmetrics_size", "Bytes of the bodies of requests."));
            responseSize = store.Add(Counter("traces_spanmetrics_response_size", "By", "traces_spanmetrics_response_size",
                "Bytes of the bodies of responses."));
        }
    }

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span, ServiceResource service, MetricResource resource, in HostName host)
    {
        ref readonly var data = ref span.Span;
        var values = data.Values;
        var key = store.BeginKey();
        key.Add(resource.NameBytes);
        key.Add(resource.NamespaceBytes);
        key.Add(names.Of(service.ServiceNamespace, service.ServiceName, values.Text(SpanAttribute.Name)));
        key.Add(data.Kind == SpanKind.Server ? "SPAN_KIND_SERVER"u8 : "SPAN_KIND_CLIENT"u8);
        key.Add(values.Has(SpanAttribute.ErrorType) ? "STATUS_CODE_ERROR"u8 : "STATUS_CODE_UNSET"u8);
        if (latency is not null && calls is not null)
        {
            store.Observe(latency, resource, in key, in span);
            store.Of(calls, resource, in key, span.Start).Add(1);
        }

        if (size is not null && responseSize is not null && data.Protocol == ProtocolId.Http)
        {
            Add(size, values.Number(SpanAttribute.HttpRequestBodySize, 0), resource, in key, in span);
            Add(responseSize, values.Number(SpanAttribute.HttpResponseBodySize, 0), resource, in key, in span);
        }
    }

    private void Add(MetricFamily family, long bytes, MetricResource resource, in SeriesKey key, in ExportedSpan span) =>
        store.Of(family, resource, in key, span.Start).Add(bytes);

    private static MetricDefinition Counter(string name, string unit, string prometheusName, string description) => new()
    {
        Name = name, Unit = unit, Kind = MetricKind.Counter, PrometheusName = prometheusName, Description = description,
        Attributes = Labels,
    };
}
