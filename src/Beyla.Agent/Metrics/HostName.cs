using System.Buffers;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// The name of a host that a request asks for. An address there is no name: nobody resolved it, and there may be as many as there are
/// hosts in the world.
/// </summary>
internal static class HostName
{
    // RFC 1123 section 2.1, and the underscore that names inside of clusters have.
    private static readonly SearchValues<byte> NameBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"u8);

    /// <summary>Finds it in a Host field.</summary>
    /// <param name="value">As sent.</param>
    /// <param name="name">The name; empty when it is an address, or nothing that a name may be.</param>
    /// <param name="port">The port; 0 when none is given.</param>
    public static void Find(ReadOnlySpan<byte> value, out ReadOnlySpan<byte> name, out int port)
    {
        name = default;
        port = 0;
        // In brackets are addresses. A colon without a port behind is no field that a name is taken of.
        if (value.IsEmpty || value[0] == '[' || value[^1] == ':' || !HostHeader.TrySplit(value, out var host, out var given)
            || host.Length > 253 || host.ContainsAnyExcept(NameBytes) || !IsName(host))
        {
            return;
        }

        name = host;
        port = given ?? 0;
    }

    /// <summary>The last label of a name has a letter (RFC 3696 section 2), that of an address of version 4 has none.</summary>
    private static bool IsName(ReadOnlySpan<byte> host)
    {
        host = host.TrimEnd((byte)'.');
        var last = host[(host.LastIndexOf((byte)'.') + 1)..];
        return last.ContainsAnyInRange((byte)'a', (byte)'z') || last.ContainsAnyInRange((byte)'A', (byte)'Z');
    }
}
