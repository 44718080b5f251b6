using Beyla.Agent.Configuration;
using Beyla.Agent.Flows;

namespace Beyla.Agent.Metrics;

/// <summary>
/// <c>beyla.network.flow.bytes</c> and <c>beyla.network.flow.packets</c>, as Grafana Beyla names them. They are the agent's. No address and
/// no port is in them unless somebody includes ports: only the side of the conversation, the blocks of addresses that somebody configured,
/// and the interface where each one counts a packet again.
/// </summary>
public sealed class FlowMetrics : IFlowSink
{
    private readonly MetricStore store;
    private readonly MetricFamily? bytes, packets;
    private readonly bool hasInterface, hasNetworks;

    /// <param name="store">Keeps them.</param>
    /// <param name="features">Which.</param>
    /// <param name="network">How flows are seen.</param>
    public FlowMetrics(MetricStore store, MetricFeatures features, NetworkConfiguration network)
    {
        this.store = store;
        (hasInterface, hasNetworks) = (network.Deduper == FlowDeduper.None, network.Cidrs.Count > 0);
        MetricAttribute[] attributes =
        [
            "direction",
            .. hasInterface ? (MetricAttribute[])["iface", "iface.direction"] : [],
            .. hasNetworks ? (MetricAttribute[])["src.cidr", "dst.cidr"] : [],
            new("transport", IsOptIn: true), new("src.port", IsNumber: true, IsOptIn: true), new("dst.port", IsNumber: true, IsOptIn: true),
        ];
        if (features.HasFlag(MetricFeatures.Network))
        {
            bytes = store.Add(new MetricDefinition
            {
                Name = "beyla.network.flow.bytes", Unit = "By", Kind = MetricKind.Counter, Attributes = attributes,
                Description = "Bytes of network flows, headers of the network layer included.", IsSelectable = true,
            });
        }

        if (features.HasFlag(MetricFeatures.NetworkFlowPackets))
        {
            packets = store.Add(new MetricDefinition
            {
                Name = "beyla.network.flow.packets", Unit = "{packet}", Kind = MetricKind.Counter, Attributes = attributes,
                Description = "Packets of network flows.", IsSelectable = true,
            });
        }
    }

    /// <inheritdoc/>
    public void OnFlow(in FlowData flow)
    {
        using (store.Enter())
        {
            if (bytes is not null)
            {
                Count(bytes, in flow, (long)flow.Value.Bytes);
            }

            if (packets is not null)
            {
                Count(packets, in flow, (long)flow.Value.Packets);
            }
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
    }

    private void Count(MetricFamily family, in FlowData flow, long count)
    {
        var key = store.BeginKey();
        key.Add(FlowNames.Of(flow.Side));
        if (hasInterface)
        {
            key.Add(flow.Interface);
            key.Add(FlowNames.Of(flow.Key.Direction));
        }

        if (hasNetworks)
        {
            key.Add(flow.SourceNetwork);
            key.Add(flow.DestinationNetwork);
        }

        if (family.HasOptIns)
        {
            key.Add(TransportProtocol.NameOf(flow.Key.Protocol));
            key.Add(flow.Key.SourcePort);
            key.Add(flow.Key.DestinationPort);
        }

        store.Of(family, store.Agent, in key, flow.First).Add(count);
    }
}
