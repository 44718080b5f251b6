using System.Net.Sockets;
using Beyla.Agent.Configuration;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>Finds the narrowest of the configured blocks of addresses that holds an address.</summary>
internal sealed class NetworkTable
{
    // By prefix length on the IPv6 or mapped form, longest first: as many look-ups as there are different lengths.
    private readonly List<(int Length, Dictionary<UInt128, string> Networks)> lengths = [];

    internal NetworkTable(IReadOnlyList<NamedNetwork> networks)
    {
        foreach (var (network, label) in networks)
        {
            var length = network.PrefixLength + (network.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 96 : 0);
            var index = lengths.FindIndex(entry => entry.Length == length);
            if (index < 0)
            {
                index = lengths.Count;
                lengths.Add((length, []));
            }

            _ = lengths[index].Networks.TryAdd(Cut(Number(Address.From(network.BaseAddress)), length), label);
        }

        lengths.Sort(static (a, b) => b.Length.CompareTo(a.Length));
    }

    /// <summary>The name of the block, or null.</summary>
    internal string? Find(in Address address)
    {
        if (lengths.Count == 0)
        {
            return null;
        }

        var number = Number(in address);
        foreach (var (length, networks) in lengths)
        {
            // ::/0 and the like hold no IPv4 address.
            if ((length >= 96 || !address.IsIPv4) && networks.TryGetValue(Cut(number, length), out var label))
            {
                return label;
            }
        }

        return null;
    }

    private static UInt128 Number(in Address address) => System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(address.Bytes);

    private static UInt128 Cut(UInt128 number, int length) => length == 0 ? 0 : number & (UInt128.MaxValue << (128 - length));
}
