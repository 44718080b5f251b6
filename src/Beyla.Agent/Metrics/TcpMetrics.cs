using Beyla.Agent.Configuration;
using Beyla.Agent.Flows;
using Beyla.Agent.Statistics;

namespace Beyla.Agent.Metrics;

/// <summary>
/// <c>beyla.stat.tcp.*</c>, as Grafana Beyla names them. They are the agent's. As in <see cref="FlowMetrics"/> no address is in them, and
/// no port unless somebody includes ports: only the blocks of addresses that somebody configured. The local end is the source.
/// </summary>
public sealed class TcpMetrics : ITcpStatisticSink
{
    private const string Role = "network.tcp.handshake.role";

    private readonly MetricStore store;
    private readonly NetworkTable networks;
    private readonly bool hasNetworks;
    private readonly MetricFamily? roundTrips, failed, successful, retransmits, bytes;
    private string? source, destination; // of the record, as below
    private long time;

    /// <param name="store">Keeps them.</param>
    /// <param name="features">Which.</param>
    /// <param name="roundTripBounds">Bounds of round-trip times, in seconds; null for those of Grafana Beyla.</param>
    /// <param name="cidrs">Blocks of addresses that have names.</param>
    public TcpMetrics(
        MetricStore store, MetricFeatures features, IReadOnlyList<double>? roundTripBounds, IReadOnlyList<NamedNetwork> cidrs)
    {
        this.store = store;
        (networks, hasNetworks) = (new NetworkTable(cidrs), cidrs.Count > 0);
        MetricFamily? Add(MetricFeatures feature, string name, string unit, string description, MetricAttribute[] attributes) =>
            !features.HasFlag(feature) ? null : store.Add(new MetricDefinition
            {
                Name = name, Unit = unit, Description = description, Attributes = attributes, IsSelectable = true,
                Kind = feature == MetricFeatures.StatsTcpRtt ? MetricKind.Histogram : MetricKind.Counter,
                Buckets = feature == MetricFeatures.StatsTcpRtt ? new Buckets(roundTripBounds ?? Buckets.RoundTrips, 1_000_000) : null,
            });
        roundTrips = Add(
            MetricFeatures.StatsTcpRtt, "beyla.stat.tcp.rtt", "s",
            "Smoothed round-trip time of TCP connections, while they are open and at their end.", Attributes());
        failed = Add(
            MetricFeatures.StatsTcpFailedConnections, "beyla.stat.tcp.failed.connections", "{connection}",
            "TCP connections that were not made.", AttributesByRole("reason"));
        successful = Add(
            MetricFeatures.StatsTcpSuccessfulConnections, "beyla.stat.tcp.successful.connections", "{connection}",
            "TCP connections that were made.", AttributesByRole());
        retransmits = Add(
            MetricFeatures.StatsTcpRetransmits, "beyla.stat.tcp.retransmits", "{segment}", "TCP segments that were sent again.",
            Attributes());
        bytes = Add(
            MetricFeatures.StatsTcpIo, "beyla.stat.tcp.io", "By", "Bytes of payload of TCP connections, without those sent again.",
            Attributes("network.io.direction"));
    }

    /// <inheritdoc/>
    public void OnStatistic(in TcpStatistic statistic)
    {
        using (store.Enter())
        {
            time = MetricStore.Time;
            (source, destination) = (networks.Find(in statistic.Local), networks.Find(in statistic.Remote));
            if (statistic.Kind == TcpStatisticKind.Failed)
            {
                Count(failed, in statistic, 1, StatisticNames.ReasonOf(in statistic));
            }
            else
            {
                // Zero makes the series too: a counter that begins with its first bytes has them in no rate().
                Count(bytes, in statistic, (long)statistic.Sent, "transmit"u8);
                Count(bytes, in statistic, (long)statistic.Received, "receive"u8);
            }

            Count(retransmits, in statistic, statistic.Retransmits);
            if (statistic.Kind == TcpStatisticKind.Established)
            {
                Count(successful, in statistic, 1);
            }
            else if (statistic.Kind != TcpStatisticKind.Failed && statistic.RoundTrip > 0 && roundTrips is not null)
            {
                Of(roundTrips, in statistic).Observe(statistic.RoundTrip, default, time);
            }
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
    }

    private MetricAttribute[] Attributes(params MetricAttribute[] own) => [.. own, .. Networks(), new(Role, IsOptIn: true), .. Ports()];

    private MetricAttribute[] AttributesByRole(params MetricAttribute[] own) => [.. own, Role, .. Networks(), .. Ports()];

    private MetricAttribute[] Networks() => hasNetworks ? ["src.cidr", "dst.cidr"] : [];

    private static MetricAttribute[] Ports() =>
    [
        .. ((string[])["src.port", "dst.port", "server.port", "client.port"]).Select(
            static name => new MetricAttribute(name, IsNumber: true, IsOptIn: true)),
    ];

    private void Count(MetricFamily? family, in TcpStatistic statistic, long count, ReadOnlySpan<byte> own = default)
    {
        if (family is not null)
        {
            Of(family, in statistic, own).Add(count);
        }
    }

    /// <summary>The series of a record; in the order of the attributes above.</summary>
    private Series Of(MetricFamily family, in TcpStatistic statistic, ReadOnlySpan<byte> own = default)
    {
        var key = store.BeginKey();
        if (!own.IsEmpty)
        {
            key.Add(own);
        }

        var isByRole = family == failed || family == successful;
        if (isByRole)
        {
            key.Add(StatisticNames.Of(statistic.Role));
        }

        if (hasNetworks)
        {
            key.Add(source);
            key.Add(destination);
        }

        if (family.HasOptIns)
        {
            if (!isByRole)
            {
                key.Add(StatisticNames.Of(statistic.Role));
            }

            key.Add(statistic.LocalPort);
            key.Add(statistic.RemotePort);
            key.Add(StatisticNames.ServerPortOf(in statistic) ?? -1);
            key.Add(StatisticNames.ClientPortOf(in statistic) ?? -1);
        }

        return store.Of(family, store.Agent, in key, time);
    }
}
