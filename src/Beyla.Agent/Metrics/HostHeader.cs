using System.Buffers;
using System.Buffers.Text;

namespace Beyla.Agent.Metrics;

/// <summary>
/// The host that a request names (RFC 9110 section 7.2). An address there is no name: nobody resolved it, and there may be as many as
/// there are hosts in the world.
/// </summary>
internal static class HostHeader
{
    // RFC 1123 section 2.1, and the underscore that names inside of clusters have.
    private static readonly SearchValues<byte> NameBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"u8);

    /// <summary>Splits a Host field.</summary>
    /// <param name="value">As sent.</param>
    /// <param name="name">The name; empty when it is an address, or nothing that a name may be.</param>
    /// <param name="port">The port; 0 when none is given.</param>
    public static void Split(ReadOnlySpan<byte> value, out ReadOnlySpan<byte> name, out int port)
    {
        name = default;
        port = 0;
        var colon = value.LastIndexOf((byte)':');
        var host = colon < 0 ? value : value[..colon];
        if (host.Length is 0 or > 253 || host.ContainsAnyExcept(NameBytes) || !IsName(host))
        {
            return;
        }

        if (colon >= 0 && (!Utf8Parser.TryParse(value[(colon + 1)..], out port, out var read) || read != value.Length - colon - 1
            || port is < 0 or > ushort.MaxValue))
        {
            port = 0;
            return;
        }

        name = host;
    }

    /// <summary>The last label of a name has a letter (RFC 3696 section 2), that of an address of version 4 has none.</summary>
    private static bool IsName(ReadOnlySpan<byte> host)
    {
        host = host.TrimEnd((byte)'.');
        var last = host[(host.LastIndexOf((byte)'.') + 1)..];
        return last.ContainsAnyInRange((byte)'a', (byte)'z') || last.ContainsAnyInRange((byte)'A', (byte)'Z');
    }
}
