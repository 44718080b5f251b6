using System.Net;

namespace Beyla.Contracts;

/// <summary>
/// What one direction of a conversation sent through one interface since it was last reported (line type <c>flow</c>, docs/stream.md and
/// docs/flows.md). Immutable. Names come from the network and from processes and are not escaped here. Property names follow
/// Get-NetTCPConnection where it has them.
/// </summary>
public sealed record Flow
{
    /// <summary>First packet; microseconds, UTC.</summary>
    public DateTimeOffset FirstSeen { get; init; }

    /// <summary>Last packet; microseconds, UTC.</summary>
    public DateTimeOffset LastSeen { get; init; }

    /// <summary>Protocol of the IP header.</summary>
    public Transport Transport { get; init; }

    /// <summary>Whether this comes from the side that called.</summary>
    public FlowDirection Direction { get; init; }

    /// <summary>Name of the interface.</summary>
    public string Interface { get; init; } = "";

    /// <summary>Whether the packets went out of the interface or came in.</summary>
    public InterfaceDirection InterfaceDirection { get; init; }

    /// <summary>Who sent the packets.</summary>
    public IPAddress SourceAddress { get; init; } = IPAddress.None;

    /// <summary>0 where the protocol has no ports.</summary>
    public int SourcePort { get; init; }

    /// <summary>Name of the source address, or null.</summary>
    public string? SourceName { get; init; }

    /// <summary>Name of the configured block that the source is in, or null.</summary>
    public string? SourceNetwork { get; init; }

    /// <summary>Whom the packets were for.</summary>
    public IPAddress DestinationAddress { get; init; } = IPAddress.None;

    /// <summary>0 where the protocol has no ports.</summary>
    public int DestinationPort { get; init; }

    /// <summary>Name of the destination address, or null.</summary>
    public string? DestinationName { get; init; }

    /// <summary>Name of the configured block that the destination is in, or null.</summary>
    public string? DestinationNetwork { get; init; }

    /// <summary>This host's side of the interface: the source of what goes out, the destination of what comes in.</summary>
    public IPAddress LocalAddress => InterfaceDirection == InterfaceDirection.Egress ? SourceAddress : DestinationAddress;

    /// <summary>Port of <see cref="LocalAddress"/>.</summary>
    public int LocalPort => InterfaceDirection == InterfaceDirection.Egress ? SourcePort : DestinationPort;

    /// <summary>The other side.</summary>
    public IPAddress RemoteAddress => InterfaceDirection == InterfaceDirection.Egress ? DestinationAddress : SourceAddress;

    /// <summary>Port of <see cref="RemoteAddress"/>.</summary>
    public int RemotePort => InterfaceDirection == InterfaceDirection.Egress ? DestinationPort : SourcePort;

    /// <summary>Name of <see cref="RemoteAddress"/>, or null.</summary>
    public string? RemoteName => InterfaceDirection == InterfaceDirection.Egress ? DestinationName : SourceName;

    /// <summary>Bytes on the link, link-layer headers included.</summary>
    public long Bytes { get; init; }

    /// <summary>Packets on the link.</summary>
    public long Packets { get; init; }

    /// <summary>TCP flags of all packets together.</summary>
    public TcpFlags Flags { get; init; }

    /// <summary>The agent's own address.</summary>
    public IPAddress AgentAddress { get; init; } = IPAddress.None;

    /// <summary>The local process that owns the socket, in the pid namespace of the host; 0 when it is not known.</summary>
    public int OwningProcess { get; init; }

    /// <summary>Its name; empty when it is not known.</summary>
    public string ProcessName { get; init; } = "";

    /// <summary>Its service; empty when it is not known.</summary>
    public string ServiceName { get; init; } = "";

    /// <summary>Protocol, ends and bytes, for messages. Not escaped.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Transport} {SourceAddress}:{SourcePort} -> {DestinationAddress}:{DestinationPort} {Bytes} B");
}
