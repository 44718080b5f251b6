using System.Net;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Prometheus;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;
using Beyla.Agent.Metrics;

namespace Beyla.Agent.Tests.Metrics;

public sealed class FlowMetricsTests
{
    private const MetricFeatures Both = MetricFeatures.OfFlows;

    [Fact]
    public void Bytes_and_packets_are_summed_by_direction_and_name_no_address()
    {
        var store = new MetricStore(new(), AgentResource.Of(MetricRig.Host, "1"));
        var metrics = new FlowMetrics(store, Both, new NetworkConfiguration());
        for (var i = 0; i < 100; i++)
        {
            metrics.OnFlow(Flow($"10.0.0.{i}", FlowDirection.Request, 1000, 2));
        }

        metrics.OnFlow(Flow("10.0.0.1", FlowDirection.Response, 7, 1));
        var page = Page(store);
        Assert.Contains("\n# TYPE beyla_network_flow_bytes_total counter\n", page);
        Assert.Matches(
            "\nbeyla_network_flow_bytes_total\\{job=\"beyla\",instance=\"[0-9a-f-]{36}\",direction=\"request\"\\} 100000\n", page);
        Assert.Matches("\nbeyla_network_flow_bytes_total\\{[^}]*,direction=\"response\"\\} 7\n", page);
        Assert.Matches("\nbeyla_network_flow_packets_total\\{[^}]*,direction=\"request\"\\} 200\n", page);
        Assert.DoesNotContain("10.0.0.", page);
    }

    [Fact]
    public void Interfaces_and_blocks_are_told_where_they_say_something()
    {
        var store = new MetricStore(new(), AgentResource.Of(MetricRig.Host, "1"));
        var blocks = Blocks();
        var metrics = new FlowMetrics(store, MetricFeatures.Network, new() { Deduper = FlowDeduper.None, Cidrs = blocks });
        metrics.OnFlow(Flow("10.0.0.1", FlowDirection.Unknown, 5, 1));
        Assert.Matches(
            "\\{[^}]*,direction=\"unknown\",iface=\"eth0\",iface_direction=\"egress\",src_cidr=\"lan\"\\} 5\n", Page(store));
    }

    [Fact]
    public void A_known_flow_allocates_nothing()
    {
        var store = new MetricStore(new(), AgentResource.Of(MetricRig.Host, "1"));
        var metrics = new FlowMetrics(store, Both, new NetworkConfiguration());
        Assert.Equal(0, Allocation.Least(_ =>
        {
            for (var i = 0; i < 1000; i++)
            {
                metrics.OnFlow(Flow(default(Address), FlowDirection.Request, 1, 1));
            }
        }));
    }

    private static IReadOnlyList<NamedNetwork> Blocks() =>
        Configuration.Loaded.From("network:\n  cidrs: [{cidr: 10.0.0.0/8, name: lan}]\n").Configuration.Network.Cidrs;

    private static string Page(MetricStore store)
    {
        using var buffer = new PageBuffer();
        new MetricsPage(store).Write(buffer, PageFormat.Text);
        return System.Text.Encoding.UTF8.GetString(buffer.Written);
    }

    private static FlowData Flow(string source, FlowDirection side, ulong bytes, uint packets) =>
        Flow(Address.From(IPAddress.Parse(source)), side, bytes, packets);

    private static FlowData Flow(Address source, FlowDirection side, ulong bytes, uint packets) => new()
    {
        Key = new FlowKey { Source = source, Direction = InterfaceDirection.Egress },
        Value = new FlowValue { Bytes = bytes, Packets = packets },
        AgentAddress = default, Interface = "eth0", Side = side, First = 1_700_000_000_000_000, SourceNetwork = "lan", ServiceName = "",
    };
}
