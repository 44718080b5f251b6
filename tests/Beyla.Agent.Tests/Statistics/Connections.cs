using System.Net;
using Beyla.Agent.Linux;
using Beyla.Agent.Statistics;

namespace Beyla.Agent.Tests.Statistics;

/// <summary>Records of TCP statistics that tests make.</summary>
internal static class Connections
{
    /// <summary>10.1.0.1:40000 asked fd00::2:443.</summary>
    internal static TcpStatistic Client(TcpStatisticKind kind) => new()
    {
        Kind = kind, Role = TcpRole.Client, Local = Address("10.1.0.1"), Remote = Address("fd00::2"), LocalPort = 40000, RemotePort = 443,
    };

    /// <summary>10.1.0.1:443 was asked by 192.0.2.7:50000.</summary>
    internal static TcpStatistic Server(TcpStatisticKind kind) => new()
    {
        Kind = kind, Role = TcpRole.Server, Local = Address("10.1.0.1"), Remote = Address("192.0.2.7"), LocalPort = 443, RemotePort = 50000,
    };

    /// <summary>10.1.0.1:40000 did not get to fd00::2:443.</summary>
    internal static TcpStatistic Failed(ushort error) => Client(TcpStatisticKind.Failed) with { Error = error };

    internal static Address Address(string text) => Agent.Linux.Address.From(IPAddress.Parse(text));
}
