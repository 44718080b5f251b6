using System.Net;
using System.Net.NetworkInformation;

namespace Beyla.PowerShell.Completion;

/// <summary>Completes blocks of addresses: the networks that this host is in, then the private ones (RFC 1918, RFC 4193).</summary>
public sealed class NetworkCompleter : Completer
{
    private static readonly string[] Private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

    /// <inheritdoc/>
    protected override IEnumerable<Proposal> Find(string word) =>
        Local().Concat(Private.Select(block => new Proposal(block, block, "private addresses"))).DistinctBy(p => p.Value);

    private static IEnumerable<Proposal> Local()
    {
        try
        {
            return [.. from one in NetworkInterface.GetAllNetworkInterfaces()
                       from address in one.GetIPProperties().UnicastAddresses
                       let block = Block(address.Address, address.PrefixLength).ToString()
                       select new Proposal(block, block, $"the network of {address.Address} at {one.Name}")];
        }
        catch (Exception error) when (error is NetworkInformationException or PlatformNotSupportedException)
        {
            return [];
        }
    }

    /// <summary>The block that an address is in: all behind the prefix is zero, and an interface's scope is no part of it.</summary>
    internal static IPNetwork Block(IPAddress address, int prefix)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = prefix; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(bytes), prefix);
    }
}
