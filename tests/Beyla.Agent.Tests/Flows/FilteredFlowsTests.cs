using System.Net;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;
using Beyla.Agent.Selection;
using Beyla.Agent.Tests.Configuration;

namespace Beyla.Agent.Tests.Flows;

/// <summary>Flows against <c>filter.network</c>: attributes and words are those of the lines and metrics of Grafana Beyla.</summary>
public sealed class FilteredFlowsTests
{
    private const byte Tcp = 6, Udp = 17, Icmp = 1;

    [Theory]
    [InlineData("transport: {match: TCP}", true)]
    [InlineData("transport: {not_match: tcp}", false)]
    [InlineData("dst.port: {match: '443'}", true)]
    [InlineData("dst_port: {less_than: 443}", false)]
    [InlineData("src.port: {greater_equals: 32768}", true)]
    [InlineData("src.address: {match: '10.*'}", true)]
    [InlineData("dst_address: {match: 'fd00::*'}", true)]
    [InlineData("src.name: {match: web}", true)]
    // What has no name is its address, as in the line.
    [InlineData("dst.name: {match: 'fd00::2'}", true)]
    [InlineData("src.cidr: {match: lan}", true)]
    [InlineData("dst.cidr: {match: '?*'}", false)]
    [InlineData("dst.cidr: {not_match: lan}", true)]
    [InlineData("direction: {match: request}", true)]
    [InlineData("direction: {match: response}", false)]
    [InlineData("iface: {match: 'eth*'}", true)]
    [InlineData("iface_direction: {match: egress}", true)]
    [InlineData("iface.direction: {match: ingress}", false)]
    [InlineData("transport: {match: TCP}, dst.port: {equals: 80}", false)]
    [InlineData("transport: {match: TCP}, dst.port: {greater_than: 80, less_than: 1024}", true)]
    public void Of_a_flow(string filter, bool passes)
    {
        var sink = new Flows();
        var flows = new FilteredFlows(sink, Conditions(filter));
        flows.OnFlow(Flow(Tcp, 443));
        Assert.Equal(passes ? 1 : 0, sink.Count);
    }

    [Fact]
    public void What_passes_goes_on_and_the_rest_is_counted()
    {
        var sink = new Flows();
        var flows = new FilteredFlows(sink, Conditions("transport: {not_match: UDP}, dst.port: {less_equals: 443}"));
        flows.OnFlow(Flow(Tcp, 443));
        flows.OnFlow(Flow(Udp, 53));
        flows.OnFlow(Flow(Tcp, 8080));
        flows.OnFlow(Flow(Icmp, 0)); // without ports these are 0
        flows.OnFlow(Flow(254, 1)); // a protocol without a name
        flows.Flush();
        Assert.Equal((3, 1), (sink.Count, sink.Flushed));
        Assert.Equal(new PlaceCounters("filter.flows", "flows", 5, Emitted: 3, Filtered: 2), Assert.Single(flows.Count()));
    }

    [Fact]
    public void Every_attribute_that_is_known_can_be_asked_for_and_none_allocates()
    {
        Assert.True(Glob.TryParse("[!~]*", out var any, out _));
        foreach (var attribute in FilterAttribute.OfFlows)
        {
            var sink = new Flows();
            var flows = new FilteredFlows(sink, [new AttributeCondition(attribute, new ValueCondition(any, false, []))]);
            var flow = Flow(Tcp, 443);
            void Many(in FlowData one)
            {
                for (var i = 0; i < 100; i++)
                {
                    flows.OnFlow(in one);
                }
            }

            Many(in flow);
            Assert.Equal(attribute.Name == "dst.cidr" ? 0 : 100, sink.Count);
            Assert.Equal(0, Allocation.Least(_ => Many(Flow(Tcp, 443))));
        }
    }

    private static readonly Address Source = Address.From(IPAddress.Parse("10.0.0.1")),
        Destination = Address.From(IPAddress.Parse("fd00::2"));

    private static FlowData Flow(byte protocol, ushort port) => new()
    {
        Key = new FlowKey
        {
            Source = Source, Destination = Destination, SourcePort = 40000, DestinationPort = port, Protocol = protocol,
            Direction = InterfaceDirection.Egress,
        },
        Value = default, AgentAddress = default, Interface = "eth0", Side = FlowDirection.Request, SourceName = "web",
        SourceNetwork = "lan", ServiceName = "",
    };

    private static IReadOnlyList<AttributeCondition> Conditions(string filter)
    {
        var loaded = Loaded.From($"filter: {{network: {{{filter}}}}}");
        Assert.Empty(loaded.Problems);
        return loaded.Configuration.Network.Filter;
    }

    private sealed class Flows : IFlowSink
    {
        public int Count { get; private set; }

        public int Flushed { get; private set; }

        public void OnFlow(in FlowData flow) => Count++;

        public void Flush() => Flushed++;
    }
}
