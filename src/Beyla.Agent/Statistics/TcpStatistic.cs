using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Statistics;

/// <summary>What a record of TCP statistics tells (bpf/statistics.h, enum tcp_statistic_kind).</summary>
public enum TcpStatisticKind : byte
{
    /// <summary>A connection was made: its handshake is over. Nothing is measured yet.</summary>
    Established = 1,

    /// <summary>No connection was made; <see cref="TcpStatistic.Error"/> says why.</summary>
    Failed = 2,

    /// <summary>A connection that goes on, looked at by the clock, of which there is news.</summary>
    Open = 3,

    /// <summary>A connection that was made is over.</summary>
    Closed = 4,
}

/// <summary>Who asked for a connection (bpf/statistics.h, enum tcp_role).</summary>
public enum TcpRole : byte
{
    /// <summary>It is older than the agent.</summary>
    Unknown,

    /// <summary>The local end: it called connect(2).</summary>
    Client,

    /// <summary>The remote end; the local one listened.</summary>
    Server,
}

/// <summary>
/// What a TCP connection of the host did since it was told of last (bpf/statistics.h, struct tcp_statistic). A connection between two
/// processes of the host has two ends, and is told of by both.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct TcpStatistic
{
    /// <summary>Address of the end that is told of; IPv4 is mapped to ::ffff:0:0/96.</summary>
    public Address Local;

    /// <summary>Address of the other end.</summary>
    public Address Remote;

    /// <summary>Bytes of payload that were sent for the first time.</summary>
    public ulong Sent;

    /// <summary>Bytes of payload that came in order.</summary>
    public ulong Received;

    /// <summary>Segments that were sent again; of the handshake too.</summary>
    public uint Retransmits;

    /// <summary>Smoothed round-trip time now, microseconds (tcp_sock.srtt_us / 8); 0 where none was measured.</summary>
    public uint RoundTrip;

    /// <summary>Port of the local end, host byte order; it stays known when the socket is closed.</summary>
    public ushort LocalPort;

    /// <summary>Port of the other end, host byte order.</summary>
    public ushort RemotePort;

    /// <summary>
    /// Of <see cref="TcpStatisticKind.Failed"/>: the errno that the process got (sk_err); 0 where it gave up before there was an answer.
    /// </summary>
    public ushort Error;

    /// <summary>What is told.</summary>
    public TcpStatisticKind Kind;

    /// <summary>Who asked for the connection.</summary>
    public TcpRole Role;
}

/// <summary>Takes TCP statistics. Called on the thread that reads them; must not block.</summary>
public interface ITcpStatisticSink
{
    /// <summary>Takes one record, which is valid until this returns.</summary>
    void OnStatistic(in TcpStatistic statistic);

    /// <summary>A batch is complete.</summary>
    void Flush();
}
