using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>
/// Which addresses are the host's own. A socket that is bound to no address owns what is sent to any of them, and nothing
/// else: a packet that the host only passes on between two others is no business of a local socket, whatever its port.
/// </summary>
internal sealed class LocalAddresses
{
    private readonly HashSet<Address> own = [];

    /// <summary>Takes the addresses of the interfaces as they are now.</summary>
    internal void Update(IEnumerable<NetworkAddress> addresses)
    {
        own.Clear();
        _ = own.Add(Address.From(IPAddress.Broadcast));
        // A host that has no address yet sends from this one.
        _ = own.Add(Address.From(IPAddress.Any));
        _ = own.Add(default);
        foreach (var address in addresses)
        {
            _ = own.Add(Address.From(address.Address));
            if (address.Address.AddressFamily == AddressFamily.InterNetwork && address.PrefixLength < 31)
            {
                _ = own.Add(Broadcast(address));
            }
        }
    }

    /// <summary>Whether a local socket may own what has this address at the host's end: its own, loopback, broadcast, multicast.</summary>
    internal bool Contains(in Address address)
    {
        var bytes = address.Bytes;
        return address.IsIPv4
            ? bytes[12] is 127 or (>= 224 and < 240) || own.Contains(address)
            : bytes[0] == 0xff || own.Contains(address);
    }

    /// <summary>The last address of the network: the kernel takes it for broadcast whether or not that was configured.</summary>
    private static Address Broadcast(NetworkAddress address)
    {
        var bytes = address.Address.GetAddressBytes();
        BinaryPrimitives.WriteUInt32BigEndian(bytes, BinaryPrimitives.ReadUInt32BigEndian(bytes) | (uint.MaxValue >> address.PrefixLength));
        return Address.From(new IPAddress(bytes));
    }
}
