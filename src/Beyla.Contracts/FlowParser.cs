using System.Net;
using System.Text.Json;
using Beyla.Contracts;

namespace Beyla;

/// <summary>Reads a line of type <c>flow</c>.</summary>
internal static class FlowParser
{
    private enum Field
    {
        Type, First, Last, Transport, Direction, Interface, InterfaceDirection, SourceAddress, SourcePort, DestinationAddress,
        DestinationPort, Bytes, Packets, Flags, SourceName, DestinationName, SourceNetwork, DestinationNetwork, AgentAddress,
        Pid, ProcessName, ServiceName,
    }

    /// <summary>In the order of <see cref="Field"/>, which is the order in which the agent writes them.</summary>
    private static readonly byte[][] Fields = FieldReader.Table(
        "type", "first", "last", "transport", "direction", "interface", "interfaceDirection", "sourceAddress", "sourcePort",
        "destinationAddress", "destinationPort", "bytes", "packets", "flags", "sourceName", "destinationName", "sourceNetwork",
        "destinationNetwork", "agentAddress", "pid", "processName", "serviceName");

    /// <summary>
    /// The reader stands on the start of the object and is left on its end. The field that is missing or wrong is
    /// named when the answer is null.
    /// </summary>
    internal static Flow? Parse(ref Utf8JsonReader reader, ValueCache cache, out string? wrong)
    {
        DateTimeOffset first = default, last = default;
        long transport = 0, bytes = -1, packets = -1, flags = 0;
        var direction = FlowDirection.Unknown;
        var interfaceDirection = InterfaceDirection.Ingress;
        string interfaceName = "", process = "", service = "";
        string? sourceName = null, destinationName = null, sourceNetwork = null, destinationNetwork = null;
        IPAddress? source = null, destination = null;
        var agent = IPAddress.None;
        int sourcePort = 0, destinationPort = 0, pid = 0, expected = 0;

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldReader.Find(ref reader, Fields, ref expected);
            _ = reader.Read();
            var good = true;
            switch ((Field)field)
            {
                case Field.First: good = FieldReader.Time(ref reader, out first); break;
                case Field.Last: good = FieldReader.Time(ref reader, out last); break;
                case Field.Transport: good = FieldReader.Integer(ref reader, 0, byte.MaxValue, out transport); break;
                case Field.Direction:
                    // A word that a newer agent added counts as unknown.
                    good = reader.TokenType == JsonTokenType.String;
                    direction = !good ? direction : reader.ValueTextEquals("request"u8) ? FlowDirection.Request
                        : reader.ValueTextEquals("response"u8) ? FlowDirection.Response : FlowDirection.Unknown;
                    break;
                case Field.Interface: good = FieldReader.Text(ref reader, cache, out interfaceName); break;
                case Field.InterfaceDirection:
                    good = reader.TokenType == JsonTokenType.String
                        && (reader.ValueTextEquals("egress"u8) || reader.ValueTextEquals("ingress"u8));
                    interfaceDirection = good && reader.ValueTextEquals("egress"u8)
                        ? InterfaceDirection.Egress : InterfaceDirection.Ingress;
                    break;
                case Field.SourceAddress: good = FieldReader.Address(ref reader, cache, out source!); break;
                case Field.SourcePort: good = FieldReader.Port(ref reader, out sourcePort); break;
                case Field.DestinationAddress: good = FieldReader.Address(ref reader, cache, out destination!); break;
                case Field.DestinationPort: good = FieldReader.Port(ref reader, out destinationPort); break;
                case Field.Bytes: good = FieldReader.Integer(ref reader, 0, long.MaxValue, out bytes); break;
                case Field.Packets: good = FieldReader.Integer(ref reader, 0, long.MaxValue, out packets); break;
                case Field.Flags: good = FieldReader.Integer(ref reader, 0, byte.MaxValue, out flags); break;
                case Field.SourceName: good = FieldReader.Text(ref reader, cache, out sourceName!); break;
                case Field.DestinationName: good = FieldReader.Text(ref reader, cache, out destinationName!); break;
                case Field.SourceNetwork: good = FieldReader.Text(ref reader, cache, out sourceNetwork!); break;
                case Field.DestinationNetwork: good = FieldReader.Text(ref reader, cache, out destinationNetwork!); break;
                case Field.AgentAddress: good = FieldReader.Address(ref reader, cache, out agent); break;
                case Field.Pid: good = FieldReader.Number(ref reader, out pid); break;
                case Field.ProcessName: good = FieldReader.Text(ref reader, cache, out process); break;
                case Field.ServiceName: good = FieldReader.Text(ref reader, cache, out service); break;
                default: reader.Skip(); break;
            }

            if (!good)
            {
                wrong = System.Text.Encoding.UTF8.GetString(Fields[field]);
                return null;
            }
        }

        wrong = first == default ? "first" : last == default ? "last"
            : source is null ? "sourceAddress" : destination is null ? "destinationAddress"
            : bytes < 0 ? "bytes" : packets < 0 ? "packets" : null;
        return wrong is not null ? null : new Flow
        {
            FirstSeen = first, LastSeen = last, Transport = (Transport)transport, Direction = direction, Interface = interfaceName,
            InterfaceDirection = interfaceDirection, SourceAddress = source!, SourcePort = sourcePort, SourceName = sourceName,
            SourceNetwork = sourceNetwork, DestinationAddress = destination!, DestinationPort = destinationPort,
            DestinationName = destinationName, DestinationNetwork = destinationNetwork, Bytes = bytes, Packets = packets,
            Flags = (TcpFlags)flags, AgentAddress = agent, OwningProcess = pid, ProcessName = process, ServiceName = service,
        };
    }
}
