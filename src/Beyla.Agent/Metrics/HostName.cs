using System.Buffers;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// The name of a host that a request asks for. An address there is no name: nobody resolved it, and there may be as many as there are
/// hosts in the world.
/// </summary>
internal readonly ref struct HostName
{
    // RFC 1123 section 2.1, and the underscore that names inside of clusters have.
    private static readonly SearchValues<byte> NameBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"u8);

    private HostName(ReadOnlySpan<byte> name, int port)
    {
        Name = name;
        Port = port;
    }

    /// <summary>The name; empty where a request names an address, or nothing that a name may be.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>The port; 0 when none is given.</summary>
    public int Port { get; }

    /// <summary>Finds it in a Host field.</summary>
    /// <param name="field">As sent.</param>
    public static HostName Of(ReadOnlySpan<byte> field)
    {
        // In brackets are addresses. A colon without a port behind is no field that a name is taken of.
        if (field.IsEmpty || field[0] == '[' || field[^1] == ':' || !HostHeader.TrySplit(field, out var host, out var port)
            || host.Length > 253 || host.ContainsAnyExcept(NameBytes) || !IsName(host))
        {
            return default;
        }

        return new HostName(host, port ?? 0);
    }

    /// <summary>Takes what a name server said, which may be anything.</summary>
    /// <param name="name">The name of an address.</param>
    /// <param name="port">The port that was asked.</param>
    public static HostName OfResolved(ReadOnlySpan<byte> name, int port) =>
        name.Length > 253 || name.ContainsAnyExcept(NameBytes) || !IsName(name) ? default : new HostName(name, port);

    /// <summary>The last label of a name has a letter (RFC 3696 section 2), that of an address of version 4 has none.</summary>
    private static bool IsName(ReadOnlySpan<byte> host)
    {
        if (!host.IsEmpty && char.IsAsciiLetter((char)host[^1]))
        {
            return true; // as of nearly all
        }

        host = host.TrimEnd((byte)'.');
        var last = host[(host.LastIndexOf((byte)'.') + 1)..];
        return last.ContainsAnyInRange((byte)'a', (byte)'z') || last.ContainsAnyInRange((byte)'A', (byte)'Z');
    }
}
