using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// <c>db.client.operation.duration</c> (semantic conventions, "Database client metrics"). There is no convention for the other side: what
/// a database server is seen to answer is in none.
/// </summary>
internal sealed class DatabaseMetrics : ISpanMetrics
{
    private readonly MetricStore store;
    private readonly MetricFamily family;

    /// <param name="store">Keeps them.</param>
    /// <param name="durations">Bounds, in seconds.</param>
    public DatabaseMetrics(MetricStore store, IReadOnlyList<double> durations)
    {
        this.store = store;
        family = store.Add(new MetricDefinition
        {
            Name = "db.client.operation.duration", Unit = "s", Kind = MetricKind.Histogram, Buckets = new(durations, 1_000_000),
            Description = "Duration of database operations that a service asked for.",
            Attributes = ["db.system.name", "db.namespace", "db.operation.name", "db.collection.name", "db.response.status_code",
                "error.type", new("server.port", IsNumber: true, IsOptIn: true)],
            IsSelectable = true,
        });
    }

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span, ServiceResource service, MetricResource resource, in HostName host)
    {
        ref readonly var data = ref span.Span;
        if (data.Kind != SpanKind.Client || !data.Values.Has(SpanAttribute.DbSystemName))
        {
            return;
        }

        var values = data.Values;
        var key = store.BeginKey();
        key.Add(values.Text(SpanAttribute.DbSystemName));
        key.Add(values.Text(SpanAttribute.DbNamespace));
        key.Add(values.Text(SpanAttribute.DbOperationName));
        key.Add(values.Text(SpanAttribute.DbCollectionName));
        key.Add(values.Text(SpanAttribute.DbResponseStatusCode));
        key.Add(values.Text(SpanAttribute.ErrorType));
        if (family.HasOptIns)
        {
            key.Add(data.ServerPort);
        }

        store.Observe(family, resource, in key, in span);
    }
}
