using Beyla.Agent.Linux;
using Beyla.Agent.Statistics;

namespace Beyla.Agent.Export;

/// <summary>
/// <c>stats.print_stats</c>: one line for each record, fields with blanks between. What a kind does not have is left out. Times are in
/// microseconds. One thread; does not allocate.
/// </summary>
public static class StatisticText
{
    /// <summary>Most bytes of a line.</summary>
    public const int MaximumLine = 512;

    private const int MaximumName = 32;

    /// <summary>Writes the whole line with its line feed.</summary>
    /// <param name="statistic">The record.</param>
    /// <param name="line">Has room for <see cref="MaximumLine"/> bytes.</param>
    public static void Write(in TcpStatistic statistic, ref LineWriter line)
    {
        line.Write("tcp_statistics: kind="u8);
        line.Write(Name(statistic.Kind));
        line.Write(" role="u8);
        line.Write(StatisticNames.Of(statistic.Role));
        End(" local.address="u8, in statistic.Local, " local.port="u8, statistic.LocalPort, ref line);
        End(" remote.address="u8, in statistic.Remote, " remote.port="u8, statistic.RemotePort, ref line);
        switch (statistic.Kind)
        {
            case TcpStatisticKind.Established:
                break;
            case TcpStatisticKind.Failed:
                line.Write(" error="u8);
                WriteReason(statistic.Error, ref line);
                Number(" retransmits="u8, statistic.Retransmits, ref line);
                break;
            default:
                Number(" sent="u8, (long)statistic.Sent, ref line);
                Number(" received="u8, (long)statistic.Received, ref line);
                Number(" retransmits="u8, statistic.Retransmits, ref line);
                Number(" rtt="u8, statistic.RoundTrip, ref line);
                break;
        }

        line.Write("\n"u8);
    }

    private static void End(
        ReadOnlySpan<byte> addressName, in Address address, ReadOnlySpan<byte> portName, ushort port, ref LineWriter line)
    {
        line.Write(addressName);
        line.Write(in address);
        Number(portName, port, ref line);
    }

    private static void Number(ReadOnlySpan<byte> name, long number, ref LineWriter line)
    {
        line.Write(name);
        line.WriteNumber(number);
    }

    private static void WriteReason(ushort error, ref LineWriter line)
    {
        if (error == 0)
        {
            line.Write(StatisticNames.Canceled);
        }
        else if (Errno.FindName(error) is { } name)
        {
            _ = Escape.Text(name, MaximumName, ref line);
        }
        else
        {
            line.WriteNumber(error);
        }
    }

    private static ReadOnlySpan<byte> Name(TcpStatisticKind kind) => kind switch
    {
        TcpStatisticKind.Established => "established"u8,
        TcpStatisticKind.Failed => "failed"u8,
        TcpStatisticKind.Open => "open"u8,
        TcpStatisticKind.Closed => "closed"u8,
        _ => "unknown"u8,
    };
}
