using System.Buffers.Binary;
using System.Net;

namespace Beyla.Live.Tests.Flows;

/// <summary>One direction of a conversation, as the tests know it.</summary>
internal sealed record Conversation(IPAddress Source, int SourcePort, IPAddress Destination, int DestinationPort, int Protocol)
{
    public override string ToString() => $"{Protocol} {Source}:{SourcePort} -> {Destination}:{DestinationPort}";
}

/// <summary>Bytes and packets.</summary>
internal record struct Amount(long Bytes, long Packets)
{
    public static Amount operator +(Amount a, Amount b) => new(a.Bytes + b.Bytes, a.Packets + b.Packets);

    public static Amount Add(Amount left, Amount right) => left + right;
}

/// <summary>
/// Reads packets in the plainest way, independently of the programs under test: what it says is the truth that they are compared with.
/// Remembers the ports of fragmented datagrams.
/// </summary>
internal sealed class ReferenceDecoder
{
    private readonly Dictionary<(IPAddress, IPAddress, int, uint), (int, int)> fragments = [];

    /// <summary>The conversation of an Ethernet frame; null with a reason when it belongs to none.</summary>
    public Conversation? Decode(ReadOnlySpan<byte> frame, out bool malformed)
    {
        malformed = false;
        int type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        ReadOnlySpan<byte> rest = frame[14..];
        for (int tags = 0; tags < 3 && type is 0x8100 or 0x88a8 && rest.Length >= 4; tags++)
        {
            type = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            rest = rest[4..];
        }

        Conversation? found = type switch { 0x0800 => IPv4(rest), 0x86dd => IPv6(rest), _ => null };
        malformed = found is null && type is 0x0800 or 0x86dd;
        return found;
    }

    private Conversation? IPv4(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < 20 || packet[0] >> 4 != 4)
        {
            return null;
        }

        int header = (packet[0] & 15) * 4;
        int total = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        if (header < 20 || (total != 0 && total < header))
        {
            return null;
        }

        IPAddress source = new(packet[12..16]), destination = new(packet[16..20]);
        int protocol = packet[9];
        int field = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]);
        uint id = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        bool fragmented = (field & 0x3fff) != 0;
        ReadOnlySpan<byte> transport = header <= packet.Length ? packet[header..] : default;
        return Finish(source, destination, protocol, fragmented ? id : null, (field & 0x1fff) == 0, transport);
    }

    private Conversation? IPv6(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < 40 || packet[0] >> 4 != 6)
        {
            return null;
        }

        IPAddress source = new(packet[8..24]), destination = new(packet[24..40]);
        int next = packet[6], offset = 40;
        uint? id = null;
        bool first = true;
        for (int i = 0; i < 8 && next is 0 or 43 or 44 or 51 or 60 or 135 && packet.Length >= offset + 8; i++)
        {
            int kind = next;
            next = packet[offset];
            if (kind == 44)
            {
                int field = BinaryPrimitives.ReadUInt16BigEndian(packet[(offset + 2)..]);
                // A fragment header of a whole datagram (RFC 6946) makes no fragment.
                if ((field & 0xfff9) != 0)
                {
                    id = BinaryPrimitives.ReadUInt32LittleEndian(packet[(offset + 4)..]);
                }

                first = (field & 0xfff8) == 0;
                offset += 8;
                if (!first)
                {
                    break;
                }
            }
            else
            {
                offset += kind == 51 ? (packet[offset + 1] + 2) * 4 : (packet[offset + 1] + 1) * 8;
            }
        }

        return Finish(source, destination, next, id, first, offset <= packet.Length ? packet[offset..] : default);
    }

    private Conversation Finish(
        IPAddress source, IPAddress destination, int protocol, uint? fragment, bool first, ReadOnlySpan<byte> transport)
    {
        (int, int) ports = (0, 0);
        if (!first)
        {
            ports = fragments.GetValueOrDefault((source, destination, protocol, fragment!.Value));
        }
        else if (protocol is 6 or 17 or 132 or 33 or 136 && transport.Length >= 4)
        {
            ports = (BinaryPrimitives.ReadUInt16BigEndian(transport), BinaryPrimitives.ReadUInt16BigEndian(transport[2..]));
        }

        if (first && fragment is { } id)
        {
            fragments[(source, destination, protocol, id)] = ports;
        }

        return new Conversation(source, ports.Item1, destination, ports.Item2, protocol);
    }
}
