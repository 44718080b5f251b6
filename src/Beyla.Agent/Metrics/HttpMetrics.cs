using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// <c>http.server.request.duration</c> and <c>http.client.request.duration</c> with the attributes that the semantic conventions require
/// ("HTTP metrics"), and no path unless somebody includes it: anybody may send any.
/// </summary>
internal sealed class HttpMetrics : ISpanMetrics
{
    private readonly MetricStore store;
    private readonly PeerNames peers;
    private readonly MetricFamily server, client;

    /// <param name="store">Keeps them.</param>
    /// <param name="durations">Bounds, in seconds.</param>
    /// <param name="peers">For hosts without a name.</param>
    public HttpMetrics(MetricStore store, IReadOnlyList<double> durations, PeerNames peers)
    {
        (this.store, this.peers) = (store, peers);
        var buckets = new Buckets(durations, 1_000_000);
        server = store.Add(new MetricDefinition
        {
            Name = "http.server.request.duration", Unit = "s", Kind = MetricKind.Histogram, Buckets = buckets,
            Description = "Duration of HTTP requests that a service answered.",
            Attributes = ["http.request.method", new("http.response.status_code", IsNumber: true), "error.type", "http.route",
                "network.protocol.version", "url.scheme", new("server.address", IsOptIn: true),
                new("server.port", IsNumber: true, IsOptIn: true), new("url.path", IsOptIn: true)],
            IsSelectable = true,
        });
        client = store.Add(new MetricDefinition
        {
            Name = "http.client.request.duration", Unit = "s", Kind = MetricKind.Histogram, Buckets = buckets,
            Description = "Duration of HTTP requests that a service sent.",
            Attributes = ["http.request.method", new("http.response.status_code", IsNumber: true), "error.type",
                "network.protocol.version", "server.address", new("server.port", IsNumber: true), new("url.scheme", IsOptIn: true),
                new("url.path", IsOptIn: true)],
            IsSelectable = true,
        });
    }

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span, ServiceResource service, MetricResource resource, in HostName host)
    {
        ref readonly var data = ref span.Span;
        if (data.Protocol != ProtocolId.Http)
        {
            return;
        }

        var isServer = data.Kind == SpanKind.Server;
        var values = data.Values;
        var family = isServer ? server : client;
        var key = store.BeginKey();
        var method = values.Text(SpanAttribute.HttpRequestMethod);
        key.Add(HttpSpan.IsKnown(method) ? method : "_OTHER"u8);
        key.Add(values.Number(SpanAttribute.HttpResponseStatusCode, -1));
        key.Add(values.Text(SpanAttribute.ErrorType));
        if (isServer)
        {
            key.Add(values.Text(SpanAttribute.HttpRoute));
        }

        key.Add(values.Text(SpanAttribute.NetworkProtocolVersion));
        if (isServer)
        {
            // What can be read is not encrypted. A proxy that says otherwise is not asked: anybody may say it.
            key.Add("http"u8);
        }
        else
        {
            key.Add(host.Name.IsEmpty ? peers.Outgoing : host.Name);
            key.Add(host.Name.IsEmpty ? data.ServerPort : host.Port == 0 ? 80 : host.Port);
        }

        if (family.HasOptIns)
        {
            AddOptIns(ref key, in data, isServer);
        }

        store.Observe(family, resource, in key, in span);
    }

    private static void AddOptIns(ref SeriesKey key, in SpanData data, bool isServer)
    {
        if (isServer)
        {
            // That of a client's span is known; a server's is seldom asked for.
            var host = HostName.Of(data.Values.Text(SpanAttribute.HttpRequestHeaderHost));
            key.Add(host.Name);
            key.Add(host.Name.IsEmpty || host.Port == 0 ? data.ServerPort : host.Port);
        }
        else
        {
            key.Add("http"u8);
        }

        key.Add(data.Values.Text(SpanAttribute.UrlPath));
    }
}
