using System.Text;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// Who calls whom, with the names and labels of Grafana Beyla and Tempo: <c>traces_service_graph_request_client_seconds</c>,
/// <c>_server_seconds</c>, <c>_total</c>, <c>_failed_total</c>. They are the agent's, so that those of two hosts are told apart. A side of
/// which only the address is known is <see cref="PeerNames"/>.
/// </summary>
internal sealed class ServiceGraph : ISpanMetrics
{
    private static readonly MetricAttribute[] Labels = ["client", "client_service_namespace", "server", "server_service_namespace"];

    private readonly MetricStore store;
    private readonly PeerNames peers;
    private readonly bool hasSelf;
    private readonly MetricFamily client, server, total, failed;

    /// <param name="store">Keeps them.</param>
    /// <param name="durations">Bounds, in seconds.</param>
    /// <param name="hasSelf">Whether calls of a service to itself count.</param>
    /// <param name="peers">For sides without a name.</param>
    public ServiceGraph(MetricStore store, IReadOnlyList<double> durations, bool hasSelf, PeerNames peers)
    {
        (this.store, this.hasSelf, this.peers) = (store, hasSelf, peers);
        var buckets = new Buckets(durations, 1_000_000);
        MetricFamily Histogram(string side, string description) => store.Add(new MetricDefinition
        {
            Name = $"traces_service_graph_request_{side}", Unit = "s", Kind = MetricKind.Histogram, Buckets = buckets,
            PrometheusName = $"traces_service_graph_request_{side}_seconds", Description = description, Attributes = Labels,
        });
        MetricFamily Counter(string name, string description) => store.Add(new MetricDefinition
        {
            Name = name, Kind = MetricKind.Counter, PrometheusName = name, Description = description, Attributes = Labels,
        });
        client = Histogram("client", "Duration of requests between two services, as the client saw it.");
        server = Histogram("server", "Duration of requests between two services, as the server saw it.");
        total = Counter("traces_service_graph_request", "Requests between two services.");
        failed = Counter("traces_service_graph_request_failed", "Requests between two services that failed.");
    }

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span, ServiceResource service, MetricResource resource, in HostName host)
    {
        ref readonly var data = ref span.Span;
        var key = store.BeginKey();
        var isServer = data.Kind == SpanKind.Server;
        if (isServer)
        {
            key.Add(host.Name.IsEmpty ? peers.Incoming : host.Name);
            key.Add(default(ReadOnlySpan<byte>));
            key.Add(resource.NameBytes);
            key.Add(resource.NamespaceBytes);
        }
        else
        {
            var name = host.Name;
            if (!hasSelf && !name.IsEmpty && Ascii.EqualsIgnoreCase(name, resource.NameBytes))
            {
                return;
            }

            key.Add(resource.NameBytes);
            key.Add(resource.NamespaceBytes);
            key.Add(name.IsEmpty ? peers.Outgoing : name);
            key.Add(default(ReadOnlySpan<byte>));
        }

        store.Observe(isServer ? server : client, store.Agent, in key, in span);
        store.Of(total, store.Agent, in key, span.Start).Add(1);
        if (data.Values.Has(SpanAttribute.ErrorType))
        {
            store.Of(failed, store.Agent, in key, span.Start).Add(1);
        }
    }
}
