using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tracing;

/// <summary>
/// A followed TCP connection. Small, since thousands are idle at a time: all that an open exchange needs is in the conversation.
/// </summary>
public sealed class Connection
{
    internal StreamPosition Receive, Send;
    internal Connection? Older, Newer;
    internal long Touched;
    private Address local, remote, client;

    public ulong Id { get; private set; }

    /// <summary>Inode of the network namespace.</summary>
    public uint NetworkNamespace { get; private set; }

    public ushort LocalPort { get; private set; }

    public ushort RemotePort { get; private set; }

    /// <summary>Address of the traced side.</summary>
    public ref readonly Address Local => ref local;

    public ref readonly Address Remote => ref remote;

    /// <summary>
    /// The client that a proxy named at the beginning of the connection; meaningful when
    /// <see cref="HasNamedClient"/>. What the peer claims.
    /// </summary>
    public ref readonly Address NamedClient => ref client;

    public ushort NamedClientPort { get; private set; }

    public bool HasNamedClient { get; private set; }

    /// <summary>The direction in which requests travel, once a request was seen.</summary>
    public SocketDirection? RequestDirection { get; set; }

    /// <summary>What follows is of no interest: the connection was handed to another protocol.</summary>
    public bool Ignored { get; set; }

    internal Conversation? Conversation { get; set; }

    internal ref StreamPosition Position(SocketDirection direction) => ref direction == SocketDirection.Send ? ref Send : ref Receive;

    /// <summary>Bytes passed without an event: the conversation, if there is one, is told.</summary>
    /// <param name="direction">Direction of the bytes.</param>
    /// <param name="from">Sequence number of the first missing byte.</param>
    /// <param name="until">Sequence number after the last missing byte.</param>
    /// <param name="time">When this became known; CLOCK_MONOTONIC in nanoseconds.</param>
    internal void Miss(SocketDirection direction, uint from, uint until, long time)
    {
        Conversation?.OnGap(direction, from, until, time);
        ReleaseIdle();
    }

    /// <summary>Gives a conversation back on which nothing is open.</summary>
    internal void ReleaseIdle()
    {
        if (Conversation is { } conversation && (conversation.IsIdle || Ignored))
        {
            conversation.Release();
            Conversation = null;
        }
    }

    internal void NameClient(in Address address, ushort port)
    {
        client = address;
        NamedClientPort = port;
        HasNamedClient = true;
    }

    internal void Begin(in SocketEvent e)
    {
        Id = e.Connection;
        NetworkNamespace = e.NetworkNamespace;
        LocalPort = e.LocalPort;
        RemotePort = e.RemotePort;
        local = e.Local;
        remote = e.Remote;
        Receive = Send = default;
        RequestDirection = null;
        Ignored = HasNamedClient = false;
        Conversation = null;
    }
}

/// <summary>How far one direction of a connection was followed.</summary>
internal struct StreamPosition
{
    /// <summary>Sequence number of the next byte, modulo 2^32.</summary>
    public uint Next;
    public bool Known;

    /// <summary>
    /// Bytes from <see cref="Next"/> to <paramref name="sequence"/>: negative when it lies before. RFC 793 section 3.3 arithmetic.
    /// </summary>
    public readonly int DistanceTo(uint sequence) => Known ? (int)(sequence - Next) : 0;

    public void MoveTo(uint sequence)
    {
        Next = sequence;
        Known = true;
    }
}
