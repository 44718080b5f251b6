using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>A socket by its addresses (bpf/owners.h, struct owner_key).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SocketKey
{
    /// <summary>Address of the host's end; IPv4 is mapped to ::ffff:0:0/96.</summary>
    public Address Local;

    /// <summary>Zero for a listening or unconnected socket.</summary>
    public Address Remote;

    /// <summary>Port of the host's end, host byte order.</summary>
    public ushort LocalPort;

    /// <summary>Port of the other end, host byte order; zero where <see cref="Remote"/> is.</summary>
    public ushort RemotePort;

    /// <summary>Protocol number of the IP header: TCP, UDP or UDP-Lite.</summary>
    public byte Protocol;
    private readonly byte zero0, zero1, zero2;
}

/// <summary>The process of a socket (bpf/owners.h, struct owner).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SocketOwner
{
    /// <summary>Thread group in the initial pid namespace.</summary>
    public uint Pid;

    /// <summary>1 when the process itself used the socket, 0 when it owns the listening socket that the connection came from.</summary>
    public byte Exact;
    private readonly byte zero0, zero1, zero2;

    /// <summary>comm of the thread group's leader, zero padded.</summary>
    public CommandName Name;

    /// <summary>comm of the thread group's leader, without padding.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    internal readonly ReadOnlySpan<byte> NameBytes
    {
        get
        {
            var bytes = (ReadOnlySpan<byte>)Name;
            var end = bytes.IndexOf((byte)0);
            return end < 0 ? bytes : bytes[..end];
        }
    }
}
