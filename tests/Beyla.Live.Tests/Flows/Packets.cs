using System.Buffers.Binary;
using System.Net;

namespace Beyla.Live.Tests.Flows;

/// <summary>Builds frames by hand.</summary>
internal static class Packets
{
    private static readonly byte[] Macs = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

    public static byte[] Ethernet(int type, params byte[] payload) => [.. Macs, .. Short(type), .. payload];

    /// <summary>The frame with one more VLAN tag in front of those that it has.</summary>
    public static byte[] Tagged(int tag, byte[] frame, int type = 0x8100) =>
        [.. frame[..12], .. Short(type), .. Short(tag), .. frame[12..]];

    public static byte[] IPv4(
        string source, string destination, int protocol, byte[] payload, byte[]? options = null, int id = 1, int fragment = 0) => Ethernet(
        0x0800,
        [
            (byte)(0x45 + (options?.Length ?? 0) / 4), 0, .. Short(20 + (options?.Length ?? 0) + payload.Length), .. Short(id),
            .. Short(fragment), 64, (byte)protocol, 0, 0, .. IPAddress.Parse(source).GetAddressBytes(),
            .. IPAddress.Parse(destination).GetAddressBytes(), .. options ?? [], .. payload,
        ]);

    public static byte[] IPv6(string source, string destination, int next, params byte[] payload) => Ethernet(
        0x86dd,
        [
            0x60, 0, 0, 0, .. Short(payload.Length), (byte)next, 64,
            .. IPAddress.Parse(source).GetAddressBytes(), .. IPAddress.Parse(destination).GetAddressBytes(), .. payload,
        ]);

    public static byte[] Tcp(int source, int destination, byte flags, int payload = 0) =>
        [.. Short(source), .. Short(destination), 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 1, 0, 0, 0, 0, 0, .. new byte[payload]];

    public static byte[] Udp(int source, int destination, int payload = 0) =>
        [.. Short(source), .. Short(destination), .. Short(8 + payload), 0, 0, .. new byte[payload]];

    public static byte[] Sctp(int source, int destination) => [.. Short(source), .. Short(destination), .. new byte[12]];

    /// <summary>An IPv6 extension header of eight bytes and more.</summary>
    public static byte[] Extension(int next, int extra = 0) => [(byte)next, (byte)(extra / 8), .. new byte[6 + extra]];

    public static byte[] FragmentHeader(int next, int offset, bool more, uint id) =>
        [(byte)next, 0, .. Short((offset << 3) | (more ? 1 : 0)), (byte)(id >> 24), (byte)(id >> 16), (byte)(id >> 8), (byte)id];

    private static byte[] Short(int value)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }
}
