using System.Net.NetworkInformation;

namespace Beyla.PowerShell.Completion;

/// <summary>Completes network interfaces.</summary>
public sealed class InterfaceCompleter : Completer
{
    /// <inheritdoc/>
    protected override IEnumerable<Proposal> Find(string word)
    {
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces().OrderBy(i => i.Name, StringComparer.Ordinal).Select(i =>
                new Proposal(i.Name, i.Name, $"{i.NetworkInterfaceType}, {i.OperationalStatus}, {Addresses(i)}")).ToList();
        }
        catch (Exception error) when (error is NetworkInformationException or PlatformNotSupportedException)
        {
            return [];
        }
    }

    private static string Addresses(NetworkInterface one)
    {
        var addresses = one.GetIPProperties().UnicastAddresses.Select(a => a.Address.ToString()).ToList();
        return addresses.Count == 0 ? "no address" : string.Join(", ", addresses);
    }
}
