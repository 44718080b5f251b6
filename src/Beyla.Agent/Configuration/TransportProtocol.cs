using System.Globalization;
using System.Text;

namespace Beyla.Agent.Configuration;

/// <summary>Names of transport protocols as settings and flows write them, with their IANA numbers.</summary>
public static class TransportProtocol
{
    private static readonly (string Name, byte Number)[] Known =
    [
        ("IP", 0), ("ICMP", 1), ("IGMP", 2), ("IPIP", 4), ("TCP", 6), ("EGP", 8), ("PUP", 12), ("UDP", 17), ("IDP", 22), ("TP", 29),
        ("DCCP", 33), ("IPV6", 41), ("RSVP", 46), ("GRE", 47), ("ESP", 50), ("AH", 51), ("ICMPV6", 58), ("MTP", 92), ("BEETPH", 94),
        ("ENCAP", 98), ("PIM", 103), ("COMP", 108), ("L2TP", 115), ("SCTP", 132), ("UDPLITE", 136), ("MPLS", 137), ("ETHERNET", 143),
        ("RAW", 255),
    ];

    private static readonly byte[]?[] Written = new byte[]?[byte.MaxValue + 1];

    /// <summary>All names, in the order of their numbers.</summary>
    public static IEnumerable<string> Names => Known.Select(static protocol => protocol.Name);

    /// <summary>The name of a number in UTF-8; the number as text where it has none. Made once.</summary>
    public static ReadOnlySpan<byte> NameOf(byte number) => Written[number] ??= Write(number);

    /// <summary>The number of a name; case does not count.</summary>
    public static bool TryParse(string name, out byte number)
    {
        foreach (var known in Known)
        {
            if (!known.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            number = known.Number;
            return true;
        }

        number = 0;
        return false;
    }

    private static byte[] Write(byte number) => Encoding.UTF8.GetBytes(
        Known.Where(known => known.Number == number).Select(static known => known.Name).FirstOrDefault()
            ?? number.ToString(CultureInfo.InvariantCulture));
}
