using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>Finds the agent's own address, which each flow shows (beyla.ip), in the tables of the kernel. Sends nothing.</summary>
internal static class AgentAddress
{
    private const string Named = "name:";

    /// <summary>The address, or the unspecified one when the host has none.</summary>
    internal static Address Find(NetworkConfiguration options, List<NetworkLink> links, List<NetworkAddress> addresses) =>
        options.AgentIP is { } given
            ? Address.From(given)
            : Choose(options, links, addresses, DefaultInterface());

    /// <param name="options">What is asked for.</param>
    /// <param name="links">The interfaces.</param>
    /// <param name="addresses">Their addresses.</param>
    /// <param name="defaultInterface">Name of the interface of the default route; empty when there is none.</param>
    internal static Address Choose(
        NetworkConfiguration options, List<NetworkLink> links, List<NetworkAddress> addresses, string defaultInterface)
    {
        var name = options.AgentIPInterface.StartsWith(Named, StringComparison.Ordinal)
            ? options.AgentIPInterface[Named.Length..]
            : options.AgentIPInterface == "external" ? defaultInterface : "";
        var wanted = addresses.Where(address => options.AgentIPType switch
        {
            AgentAddressType.IPv4 => address.Address.AddressFamily == AddressFamily.InterNetwork,
            AgentAddressType.IPv6 => address.Address.AddressFamily == AddressFamily.InterNetworkV6,
            _ => true,
        });
        var preferred = links.Where(link => link.Name == name).Select(link => link.Index).ToHashSet();
        var loopback = links.Where(link => link.IsLoopback).Select(link => link.Index).ToHashSet();
        var best = wanted
            .OrderByDescending(address => preferred.Contains(address.Interface))
            .ThenBy(address => loopback.Contains(address.Interface))
            .ThenByDescending(address => address.IsGlobal)
            .ThenBy(address => address.Address.AddressFamily == AddressFamily.InterNetworkV6)
            .Select(address => address.Address)
            .FirstOrDefault();
        return Address.From(best ?? (options.AgentIPType == AgentAddressType.IPv6 ? IPAddress.IPv6Any : IPAddress.Any));
    }

    /// <summary>Reads the route tables of the kernel: proc(5), /proc/net/route and ipv6_route.</summary>
    private static string DefaultInterface()
    {
        var v4 = Lines("/proc/thread-self/net/route").Skip(1).Select(line => line.Split('\t', StringSplitOptions.TrimEntries))
            .Where(fields => fields.Length > 7 && fields[1] == "00000000" && fields[7] == "00000000")
            .OrderBy(fields => int.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out var metric)
                ? metric
                : int.MaxValue)
            .Select(fields => fields[0]).FirstOrDefault();
        return v4 ?? Lines("/proc/thread-self/net/ipv6_route").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length > 9 && fields[1] == "00" && fields[0].Trim('0').Length == 0 && fields[9] != "lo")
            .Select(fields => fields[9]).FirstOrDefault() ?? "";
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (IOException)
        {
            return [];
        }
    }
}
