using System.Net;
using System.Text;
using Beyla.Agent.Export;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Export;

/// <summary>The line and the object of a flow.</summary>
public sealed class FlowFormatTests
{
    private static readonly Address Agent = Address.From(IPAddress.Parse("10.0.0.1"));

    [Fact]
    public void The_line_is_that_of_Beyla_with_more_at_its_end() => Assert.Equal(
        "network_flow: transport=6 beyla.ip=10.0.0.1 iface=eth0 iface_direction=1 src.address=10.0.0.1 dst.address=10.0.0.2 "
        + "src.name=web dst.name=10.0.0.2 src.port=40000 dst.port=443 dst.cidr=lan direction=request bytes=1500 packets=3 "
        + "flags=SYN,PSH,ACK first=2026-01-02T03:04:05.000001Z last=2026-01-02T03:04:06.500000Z pid=42 process=cu\\x1brl service=shop\n",
        Text(new FlowText()));

    [Fact]
    public void The_pages_show_what_is_written()
    {
        string docs = Path.Combine(Path.GetDirectoryName(Here())!, "../../../docs");
        Assert.Contains(
            "\n" + Text(new FlowText(), plain: true), File.ReadAllText(Path.Combine(docs, "flows.md")), StringComparison.Ordinal);
        Assert.Contains(
            "\n" + Text(new FlowJson(), plain: true), File.ReadAllText(Path.Combine(docs, "stream.md")), StringComparison.Ordinal);
    }

    private static string Here([System.Runtime.CompilerServices.CallerFilePath] string path = "") => path;

    [Fact]
    public void What_is_not_known_is_left_out() => Assert.Equal(
        "network_flow: transport=58 beyla.ip=10.0.0.1 iface= iface_direction=0 src.address=fe80::1 dst.address=ff02::1 "
        + "src.name=fe80::1 dst.name=ff02::1 src.port=0 dst.port=0 direction=unknown bytes=86 packets=1 flags= "
        + "first=1970-01-01T00:00:00.000000Z last=1970-01-01T00:00:00.000000Z\n",
        Text(new FlowText(), bare: true));

    [Fact]
    public void The_object_is_read_back_as_it_was()
    {
        StreamLine line = new StreamLineParser().Parse(Encoding.UTF8.GetBytes(Text(new FlowJson()).TrimEnd('\n')));

        Assert.Null(line.Error);
        Flow flow = line.Flow!;
        Assert.Equal((Transport.Tcp, FlowDirection.Request, "eth0", InterfaceDirection.Egress),
            (flow.Transport, flow.Direction, flow.Interface, flow.InterfaceDirection));
        Assert.Equal((IPAddress.Parse("10.0.0.1"), 40000, IPAddress.Parse("10.0.0.2"), 443),
            (flow.LocalAddress, flow.LocalPort, flow.RemoteAddress, flow.RemotePort));
        Assert.Equal((1500L, 3L, TcpFlags.Syn | TcpFlags.Psh | TcpFlags.Ack), (flow.Bytes, flow.Packets, flow.Flags));
        Assert.Equal(("web", null, null, "lan"), (flow.SourceName, flow.DestinationName, flow.SourceNetwork, flow.DestinationNetwork));
        Assert.Equal((42, "cu\u001brl", "shop"), (flow.OwningProcess, flow.ProcessName, flow.ServiceName));
        Assert.Equal(TimeSpan.FromMicroseconds(1_499_999), flow.LastSeen - flow.FirstSeen);
    }

    [Theory]
    [InlineData("\"bytes\":1500", "\"bytes\":-1", "bytes")]
    [InlineData("\"sourceAddress\":\"10.0.0.1\"", "\"sourceAddress\":\"x\"", "sourceAddress")]
    [InlineData("\"transport\":6", "\"transport\":256", "transport")]
    [InlineData("\"interfaceDirection\":\"egress\"", "\"interfaceDirection\":\"up\"", "interfaceDirection")]
    [InlineData("\"first\":\"2026-01-02T03:04:05.000001Z\",", "", "first")]
    public void A_bad_object_is_named(string good, string bad, string field)
    {
        StreamLine line = new StreamLineParser()
            .Parse(Encoding.UTF8.GetBytes(Text(new FlowJson()).TrimEnd('\n').Replace(good, bad, StringComparison.Ordinal)));

        Assert.Equal(StreamErrorKind.BadField, line.Error!.Kind);
        Assert.Contains(field, line.Error.Message, StringComparison.Ordinal);
    }

    private static string Text(IFlowFormat format, bool bare = false, bool plain = false)
    {
        FlowKey key = new()
        {
            Source = Address.From(IPAddress.Parse(bare ? "fe80::1" : "10.0.0.1")),
            Destination = Address.From(IPAddress.Parse(bare ? "ff02::1" : "10.0.0.2")),
            SourcePort = (ushort)(bare ? 0 : 40000),
            DestinationPort = (ushort)(bare ? 0 : 443),
            Protocol = (byte)(bare ? 58 : 6),
            Direction = bare ? InterfaceDirection.Ingress : InterfaceDirection.Egress,
        };
        FlowData flow = new()
        {
            Key = key,
            AgentAddress = Agent,
            Value = bare ? new FlowValue { Bytes = 86, Packets = 1 }
                : new FlowValue { Bytes = 1500, Packets = 3, Flags = 0x1a | FlowValue.Called },
            Interface = bare ? "" : "eth0",
            Side = bare ? FlowDirection.Unknown : FlowDirection.Request,
            First = bare ? 0 : new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1000 + 1,
            Last = bare ? 0 : new DateTimeOffset(2026, 1, 2, 3, 4, 6, 500, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1000,
            SourceName = bare ? null : "web",
            DestinationNetwork = bare ? null : "lan",
            Pid = bare ? 0 : 42,
            ProcessName = bare ? default : plain ? "curl"u8 : "cu\u001brl"u8,
            ServiceName = bare ? "" : plain ? "curl" : "shop",
        };
        LineWriter line = new(new byte[FlowLimits.Line]);
        format.Write(in flow, ref line);
        return Encoding.UTF8.GetString(line.Written);
    }

}
