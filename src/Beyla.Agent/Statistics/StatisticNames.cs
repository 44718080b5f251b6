using Beyla.Agent.Linux;

namespace Beyla.Agent.Statistics;

/// <summary>Words for the values of TCP statistics, as Grafana Beyla has them.</summary>
internal static class StatisticNames
{
    /// <summary>
    /// The word for a connection that its process gave up before there was an answer: a limit of the application's own looks like this. Not
    /// among the words of Grafana Beyla.
    /// </summary>
    internal static ReadOnlySpan<byte> Canceled => "canceled"u8;

    /// <summary>The word for who asked for a connection: <c>client</c>, <c>server</c>, <c>unknown</c>.</summary>
    internal static ReadOnlySpan<byte> Of(TcpRole role) => role switch
    {
        TcpRole.Client => "client"u8,
        TcpRole.Server => "server"u8,
        _ => "unknown"u8,
    };

    /// <summary>The word for why a connection was not made; empty of one that was.</summary>
    internal static ReadOnlySpan<byte> ReasonOf(in TcpStatistic statistic) => statistic.Kind != TcpStatisticKind.Failed ? default
        : statistic.Error switch
        {
            0 => Canceled,
            Errno.ECONNREFUSED => "refused"u8,
            Errno.ECONNRESET => "reset"u8,
            Errno.ETIMEDOUT => "timed-out"u8,
            Errno.EHOSTUNREACH => "host-unreachable"u8,
            Errno.ENETUNREACH => "net-unreachable"u8,
            _ => "other"u8,
        };

    /// <summary>The port of the end that listened, as far as it is known.</summary>
    internal static ushort? ServerPortOf(in TcpStatistic statistic) => statistic.Role switch
    {
        TcpRole.Client => statistic.RemotePort,
        TcpRole.Server => statistic.LocalPort,
        _ => null,
    };

    /// <summary>The port of the end that called connect(2), as far as it is known.</summary>
    internal static ushort? ClientPortOf(in TcpStatistic statistic) => statistic.Role switch
    {
        TcpRole.Client => statistic.LocalPort,
        TcpRole.Server => statistic.RemotePort,
        _ => null,
    };
}
