using Beyla.PowerShell;

namespace Beyla;

/// <summary>
/// What one direction of a conversation sent through one interface: what Get-BeylaFlow emits. Immutable. Property names follow
/// Get-NetTCPConnection where it has them. As with a Span, what is here is what ConvertTo-Json writes, and Beyla.Types.ps1xml puts
/// times over the texts of the same name.
/// </summary>
/// <param name="record">What the agent said (docs/stream.md), safe to show.</param>
public sealed class Flow(Contracts.Flow record)
{
    /// <summary>First packet; in the pipeline a local DateTime.</summary>
    public string FirstSeen => Moment.Text(Record.FirstSeen);

    /// <summary>Last packet; in the pipeline a local DateTime.</summary>
    public string LastSeen => Moment.Text(Record.LastSeen);

    /// <summary>Protocol of the IP header: Tcp, Udp, IcmpV6, …; its number where it has no name here.</summary>
    public string Transport => Record.Transport.ToString();

    /// <summary>Request: from the side that called; Response; Unknown.</summary>
    public string Direction => Record.Direction.ToString();

    /// <summary>Name of the interface.</summary>
    public string Interface => Record.Interface;

    /// <summary>Egress: the packets went out of the interface; Ingress: they came in.</summary>
    public string InterfaceDirection => Record.InterfaceDirection.ToString();

    /// <summary>Who sent the packets.</summary>
    public string SourceAddress => Record.SourceAddress.ToString();

    /// <summary>0 where the protocol has no ports.</summary>
    public int SourcePort => Record.SourcePort;

    /// <summary>Name of the source address, or null.</summary>
    public string? SourceName => Record.SourceName;

    /// <summary>Name of the configured block that the source is in, or null.</summary>
    public string? SourceNetwork => Record.SourceNetwork;

    /// <summary>Whom the packets were for.</summary>
    public string DestinationAddress => Record.DestinationAddress.ToString();

    /// <summary>0 where the protocol has no ports.</summary>
    public int DestinationPort => Record.DestinationPort;

    /// <summary>Name of the destination address, or null.</summary>
    public string? DestinationName => Record.DestinationName;

    /// <summary>Name of the configured block that the destination is in, or null.</summary>
    public string? DestinationNetwork => Record.DestinationNetwork;

    /// <summary>This host's side of the interface: the source of what goes out, the destination of what comes in.</summary>
    public string LocalAddress => Record.LocalAddress.ToString();

    /// <summary>Port of LocalAddress.</summary>
    public int LocalPort => Record.LocalPort;

    /// <summary>The other side.</summary>
    public string RemoteAddress => Record.RemoteAddress.ToString();

    /// <summary>Port of RemoteAddress.</summary>
    public int RemotePort => Record.RemotePort;

    /// <summary>Name of RemoteAddress, or null.</summary>
    public string? RemoteName => Record.RemoteName;

    /// <summary>Bytes on the link, link-layer headers included.</summary>
    public long Bytes => Record.Bytes;

    /// <summary>Packets on the link.</summary>
    public long Packets => Record.Packets;

    /// <summary>Bytes per second between the first and the last packet; of a single packet there is none.</summary>
    public double? Rate => Record.LastSeen > Record.FirstSeen ? Record.Bytes / (Record.LastSeen - Record.FirstSeen).TotalSeconds : null;

    /// <summary>TCP flags of all packets together, such as <c>Syn, Ack</c>; None without any.</summary>
    public string Flags => Record.Flags.ToString();

    /// <summary>The agent's own address.</summary>
    public string AgentAddress => Record.AgentAddress.ToString();

    /// <summary>The local process that owns the socket, in the pid namespace of the host; 0 when it is not known.</summary>
    public int OwningProcess => Record.OwningProcess;

    /// <summary>Its name; empty when it is not known.</summary>
    public string ProcessName => Record.ProcessName;

    /// <summary>Its service; empty when it is not known.</summary>
    public string ServiceName => Record.ServiceName;

    /// <summary>From FirstSeen to LastSeen; in the pipeline a TimeSpan.</summary>
    public string Duration => (Record.LastSeen - Record.FirstSeen).ToString("c");

    /// <summary>From FirstSeen to LastSeen in milliseconds.</summary>
    public double DurationMs => (Record.LastSeen - Record.FirstSeen).TotalMilliseconds;

    /// <summary>The same values with their types of .NET.</summary>
    internal Contracts.Flow Record { get; } = record;

    /// <summary>Protocol, ends and bytes, for messages.</summary>
    public override string ToString() => Record.ToString();
}
