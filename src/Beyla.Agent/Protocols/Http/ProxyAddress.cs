using Beyla.Agent.Linux;

namespace Beyla.Agent.Protocols.Http;

/// <summary>Addresses and ports as the PROXY protocol writes them. Does not allocate.</summary>
internal static class ProxyAddress
{
    /// <summary>An address of 4 or 16 bytes in network order.</summary>
    public static Address From(ReadOnlySpan<byte> bytes)
    {
        Address address = default;
        Span<byte> all = address;
        if (bytes.Length == 4)
        {
            all[10] = all[11] = 0xff;
            bytes.CopyTo(all[12..]);
        }
        else
        {
            bytes.CopyTo(all);
        }

        return address;
    }

    /// <summary>The text form: of IPv4 four numbers without leading zeros, of IPv6 that of RFC 4291 section 2.2.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, bool isV4, out Address address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        var length = isV4 ? 4 : 16;
        var good = isV4 ? TryParseV4(text, bytes) : TryParseV6(text, bytes);
        address = good ? From(bytes[..length]) : default;
        return good;
    }

    /// <summary>A number from 0 to 65535 without leading zeros.</summary>
    public static bool TryPort(ReadOnlySpan<byte> text, out ushort port)
    {
        var good = TryNumber(text, 5, ushort.MaxValue, out var number);
        port = (ushort)number;
        return good;
    }

    private static bool TryNumber(ReadOnlySpan<byte> text, int digits, int most, out int number)
    {
        number = 0;
        if (text.IsEmpty || text.Length > digits || (text.Length > 1 && text[0] == '0'))
        {
            return false;
        }

        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            number = (number * 10) + digit - '0';
        }

        return number <= most;
    }

    private static bool TryParseV4(ReadOnlySpan<byte> text, Span<byte> bytes)
    {
        for (var i = 0; i < 4; i++)
        {
            var dot = i == 3 ? text.Length : text.IndexOf((byte)'.');
            if (dot < 0 || !TryNumber(text[..dot], 3, 255, out var number))
            {
                return false;
            }

            bytes[i] = (byte)number;
            text = i == 3 ? default : text[(dot + 1)..];
        }

        return true;
    }

    /// <summary>Groups are written from the left; at two colons those so far stay and the later ones are moved to the end.</summary>
    private static bool TryParseV6(ReadOnlySpan<byte> text, Span<byte> bytes)
    {
        int written = 0, gap = -1;
        if (text.StartsWith("::"u8))
        {
            gap = 0;
            text = text[2..];
        }

        while (!text.IsEmpty)
        {
            var colon = text.IndexOf((byte)':');
            var group = colon < 0 ? text : text[..colon];
            if (colon < 0 && group.Contains((byte)'.'))
            {
                if (written > 12 || !TryParseV4(group, bytes[written..]))
                {
                    return false;
                }

                written += 4;
                break;
            }

            if (written == 16 || !TryGroup(group, bytes[written..]))
            {
                return false;
            }

            written += 2;
            if (colon < 0)
            {
                break;
            }

            text = text[(colon + 1)..];
            if (text.StartsWith(":"u8))
            {
                if (gap >= 0)
                {
                    return false;
                }

                gap = written;
                text = text[1..];
            }
            else if (text.IsEmpty)
            {
                return false;
            }
        }

        if (gap < 0 || written == 16)
        {
            return gap < 0 && written == 16;
        }

        var moved = written - gap;
        bytes[gap..written].CopyTo(bytes[(16 - moved)..]);
        bytes[gap..(16 - moved)].Clear();
        return true;
    }

    private static bool TryGroup(ReadOnlySpan<byte> text, Span<byte> bytes)
    {
        if (text.Length is 0 or > 4)
        {
            return false;
        }

        var value = 0;
        foreach (var b in text)
        {
            if (!char.IsAsciiHexDigit((char)b))
            {
                return false;
            }

            value = (value << 4) | (b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10);
        }

        bytes[0] = (byte)(value >> 8);
        bytes[1] = (byte)value;
        return true;
    }
}
