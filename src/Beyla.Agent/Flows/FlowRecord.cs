using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>What makes packets one flow (bpf/flows.h, struct flow_key).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlowKey : IEquatable<FlowKey>
{
    /// <summary>IPv6 addresses; IPv4 is mapped to ::ffff:0:0/96.</summary>
    public Address Source;

    /// <summary>Destination address, in the same form as <see cref="Source"/>.</summary>
    public Address Destination;

    /// <summary>Host byte order; 0 where the protocol has no ports.</summary>
    public ushort SourcePort;

    /// <summary>Destination port, as <see cref="SourcePort"/>.</summary>
    public ushort DestinationPort;

    /// <summary>Index of the interface.</summary>
    public uint Interface;

    /// <summary>Protocol number of the IP header, after extension headers.</summary>
    public byte Protocol;

    /// <summary>Whether the packets came in or went out at the interface.</summary>
    public InterfaceDirection Direction;
    private readonly ushort zero;

    /// <inheritdoc/>
    public readonly bool Equals(FlowKey other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is FlowKey other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>Whether the two are the same flow: all bytes are equal.</summary>
    public static bool operator ==(FlowKey left, FlowKey right) => left.Equals(right);

    /// <summary>Whether the two are different flows.</summary>
    public static bool operator !=(FlowKey left, FlowKey right) => !left.Equals(right);

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    private readonly ReadOnlySpan<byte> Bytes => MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in this, 1));
}

/// <summary>What was counted for a flow (bpf/flows.h, struct flow_value).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlowValue
{
    /// <summary>SYN without ACK was seen: the source called (FLOW_CALLED).</summary>
    public const uint Called = 0x100;

    /// <summary>SYN with ACK was seen: the destination called (FLOW_ANSWERED).</summary>
    public const uint Answered = 0x200;

    /// <summary>Bytes on the link, link-layer headers included.</summary>
    public ulong Bytes;

    /// <summary>Packets on the link.</summary>
    public ulong Packets;

    /// <summary>First packet, CLOCK_MONOTONIC in nanoseconds.</summary>
    public ulong First;

    /// <summary>Last packet, CLOCK_MONOTONIC in nanoseconds.</summary>
    public ulong Last;

    /// <summary>TCP flags of all packets, OR-ed, and <see cref="Called"/> and <see cref="Answered"/>.</summary>
    public uint Flags;

    /// <summary>In a record of the ring, the errno that kept the flow out of the map; else 0.</summary>
    public uint Reason;

    /// <summary>Adds what was counted elsewhere for the same flow.</summary>
    public void Add(in FlowValue other)
    {
        Bytes += other.Bytes;
        Packets += other.Packets;
        First = Math.Min(First, other.First);
        Last = Math.Max(Last, other.Last);
        Flags |= other.Flags;
    }
}

/// <summary>One packet that found no room in the map (bpf/flows.h, struct flow_record).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlowRecord
{
    /// <summary>The flow that the packet belongs to.</summary>
    public FlowKey Key;
    private readonly uint padding;

    /// <summary>The one packet as the count of a flow.</summary>
    public FlowValue Value;
}

/// <summary>What the programs counted, over all CPUs (bpf/flows.h, struct flow_counters).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlowCounters
{
    /// <summary>All packets that reached the programs, whatever became of them.</summary>
    public ulong SeenPackets;

    /// <summary>Bytes of <see cref="SeenPackets"/>, link-layer headers included, as all bytes here.</summary>
    public ulong SeenBytes;

    /// <summary>By protocol, or not in the sample.</summary>
    public ulong FilteredPackets;

    /// <summary>Bytes of <see cref="FilteredPackets"/>.</summary>
    public ulong FilteredBytes;

    /// <summary>Not IP.</summary>
    public ulong OtherPackets;

    /// <summary>Bytes of <see cref="OtherPackets"/>.</summary>
    public ulong OtherBytes;

    /// <summary>Without a valid IP header.</summary>
    public ulong MalformedPackets;

    /// <summary>Bytes of <see cref="MalformedPackets"/>.</summary>
    public ulong MalformedBytes;

    /// <summary>Through the ring.</summary>
    public ulong OverflowPackets;

    /// <summary>Bytes of <see cref="OverflowPackets"/>.</summary>
    public ulong OverflowBytes;

    /// <summary>Neither map nor ring had room.</summary>
    public ulong LostPackets;

    /// <summary>Bytes of <see cref="LostPackets"/>.</summary>
    public ulong LostBytes;
}
