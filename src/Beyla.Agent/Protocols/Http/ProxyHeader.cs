using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Beyla.Agent.Linux;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>Where a <see cref="ProxyHeader"/> stands.</summary>
internal enum ProxyPart : byte
{
    /// <summary>In the signature of version 2, or before the first byte.</summary>
    Signature = 0,

    /// <summary>In version, command, family, length, and the addresses.</summary>
    Addresses,

    /// <summary>In what follows the addresses (TLVs).</summary>
    Rest,

    /// <summary>A header, of either version, was read.</summary>
    Done,

    /// <summary>There is none: the first bytes are those of another protocol.</summary>
    None,

    /// <summary>A header that cannot be right.</summary>
    Broken,
}

/// <summary>
/// The header of the PROXY protocol (haproxy's proxy-protocol.txt, versions 1 and 2), by which a proxy names the client that it speaks
/// for as the very first bytes of a connection. It is what the peer claims. Version 2 is binary and read here; version 1 is a line:
/// <see cref="TryParseLine"/>.
/// </summary>
internal struct ProxyHeader
{
    /// <summary>The longest line of version 1, without CR and LF.</summary>
    public const int MaxLine = 105;

    private const int Fixed = 4, AddressesV4 = 12, AddressesV6 = 36;

    private Gathered gathered;
    private int taken, needed, rest;

    /// <summary>Where the header stands.</summary>
    public ProxyPart Part { get; private set; }

    /// <summary>Whether something of a header was seen that the bytes after it need.</summary>
    public readonly bool IsHeld =>
        Part is ProxyPart.Addresses or ProxyPart.Rest or ProxyPart.Done || (Part == ProxyPart.Signature && taken > 0);

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Whether the first bytes of a connection, possibly cut, may be a header of version 2.</summary>
    public static bool MayStart(ReadOnlySpan<byte> data) =>
        !data.IsEmpty && (data.Length < Signature.Length ? Signature.StartsWith(data) : data.StartsWith(Signature));

    /// <summary>Ready for a connection; <paramref name="part"/> is None where no header can come any more.</summary>
    public void Begin(ProxyPart part)
    {
        Part = part;
        taken = 0;
    }

    /// <summary>A line of version 1 was read in another place.</summary>
    public void Finish() => Part = ProxyPart.Done;

    /// <summary>Takes what belongs to the header of version 2. Empty lines may be taken too.</summary>
    /// <param name="segment">What was understood is consumed.</param>
    /// <param name="connection">Gets the client that is named.</param>
    public void Read(ref Segment segment, Connection connection)
    {
        while (Part < ProxyPart.Done && segment.Left > 0)
        {
            if (Part == ProxyPart.Rest)
            {
                var take = (int)Math.Min(rest, segment.Left);
                segment.Skip(take);
                rest -= take;
            }
            else if (segment.Data.IsEmpty)
            {
                Part = Part == ProxyPart.Signature ? ProxyPart.None : ProxyPart.Broken;
            }
            else if (Part == ProxyPart.Signature)
            {
                ReadSignature(ref segment);
            }
            else
            {
                ReadAddresses(ref segment, connection);
            }

            if (Part == ProxyPart.Rest && rest == 0)
            {
                Part = ProxyPart.Done;
            }
        }
    }

    /// <summary>
    /// Reads a line of version 1: <c>PROXY TCP4 client server clientport serverport</c>, TCP6, or UNKNOWN, which names nobody.
    /// </summary>
    /// <param name="line">Without CR and LF.</param>
    /// <param name="client">The named client; all zero when there is none.</param>
    /// <param name="port">Its port.</param>
    public static bool TryParseLine(ReadOnlySpan<byte> line, out Address client, out ushort port)
    {
        client = default;
        port = 0;
        if (line.Length > MaxLine || !line.StartsWith("PROXY "u8) || line[^1] == ' ')
        {
            return false;
        }

        line = line["PROXY "u8.Length..];
        if (line.StartsWith("UNKNOWN"u8))
        {
            return line.Length == "UNKNOWN"u8.Length || line["UNKNOWN"u8.Length] == ' ';
        }

        var isV4 = line.StartsWith("TCP4 "u8);
        if (!isV4 && !line.StartsWith("TCP6 "u8))
        {
            return false;
        }

        line = line["TCP4 "u8.Length..];
        return ProxyAddress.TryParse(Word(ref line), isV4, out client) && ProxyAddress.TryParse(Word(ref line), isV4, out _)
            && ProxyAddress.TryPort(Word(ref line), out port) && ProxyAddress.TryPort(Word(ref line), out _) && line.IsEmpty;
    }

    private static ReadOnlySpan<byte> Word(ref ReadOnlySpan<byte> line)
    {
        var end = line.IndexOf((byte)' ');
        var word = end < 0 ? line : line[..end];
        line = end < 0 ? default : line[(end + 1)..];
        return word;
    }

    private void ReadSignature(ref Segment segment)
    {
        if (segment.Data[0] != Signature[taken])
        {
            // The first four are two empty lines; the fifth is in no other beginning.
            Part = taken > 4 ? ProxyPart.Broken : ProxyPart.None;
            return;
        }

        segment.Skip(1);
        if (++taken == Signature.Length)
        {
            Part = ProxyPart.Addresses;
            taken = 0;
            needed = Fixed;
        }
    }

    private void ReadAddresses(ref Segment segment, Connection connection)
    {
        ReadOnlySpan<byte> bytes = gathered;
        var take = Math.Min(needed - taken, segment.Data.Length);
        segment.Data[..take].CopyTo(((Span<byte>)gathered)[taken..]);
        segment.Skip(take);
        taken += take;
        if (taken < needed)
        {
            return;
        }

        if (needed == Fixed)
        {
            // Version and command: 2 LOCAL or PROXY. Family and transport: of the rest nothing is named that this agent can show.
            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
            var addresses = bytes[0] == 0x20 ? 0 : (bytes[1] >> 4) switch { 1 => AddressesV4, 2 => AddressesV6, _ => 0 };
            if (bytes[0] is not (0x20 or 0x21) || length < addresses)
            {
                Part = ProxyPart.Broken;
                return;
            }

            needed += addresses;
            rest = length - addresses;
        }

        if (taken == needed)
        {
            Part = ProxyPart.Rest;
            if (needed > Fixed)
            {
                var isV4 = needed == Fixed + AddressesV4;
                var port = BinaryPrimitives.ReadUInt16BigEndian(bytes[(isV4 ? Fixed + 8 : Fixed + 32)..]);
                connection.NameClient(ProxyAddress.From(bytes.Slice(Fixed, isV4 ? 4 : 16)), port);
            }
        }
    }

    [InlineArray(Fixed + AddressesV6)]
    private struct Gathered
    {
        private byte first;
    }
}
