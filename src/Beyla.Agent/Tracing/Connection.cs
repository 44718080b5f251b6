using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tracing;

/// <summary>
/// A followed TCP connection. Small, since thousands are idle at a time: all that an open exchange needs is in the conversation.
/// </summary>
public sealed class Connection
{
    /// <summary>How far each direction was followed.</summary>
    internal StreamPosition Receive, Send;

    /// <summary>Neighbours in the order of the last activity (<see cref="ConnectionTable"/>).</summary>
    internal Connection? Older, Newer;

    /// <summary>When the place in that order was taken; CLOCK_MONOTONIC in nanoseconds.</summary>
    internal long Touched;
    private Address local, remote, client;
    private MessageContext context;

    /// <summary>Identity of the connection, as the kernel side gives it.</summary>
    public ulong Id { get; private set; }

    /// <summary>Inode of the network namespace.</summary>
    public uint NetworkNamespace { get; private set; }

    /// <summary>Port of <see cref="Local"/>.</summary>
    public ushort LocalPort { get; private set; }

    /// <summary>Port of <see cref="Remote"/>.</summary>
    public ushort RemotePort { get; private set; }

    /// <summary>Address of the traced side.</summary>
    public ref readonly Address Local => ref local;

    /// <summary>Address of the other end of the socket.</summary>
    public ref readonly Address Remote => ref remote;

    /// <summary>
    /// The client that a proxy named at the beginning of the connection; meaningful when
    /// <see cref="HasNamedClient"/>. What the peer claims.
    /// </summary>
    public ref readonly Address NamedClient => ref client;

    /// <summary>Port of <see cref="NamedClient"/>.</summary>
    public ushort NamedClientPort { get; private set; }

    /// <summary>Whether a proxy named a client at the beginning of the connection.</summary>
    public bool HasNamedClient { get; private set; }

    /// <summary>
    /// The goroutine that asked for the request that is sent next, and the one that started it; 0 where that is not told. Of a request that
    /// is sent in several operations, the first one tells.
    /// </summary>
    internal long Caller, CallerParent;

    /// <summary>The direction in which requests travel, once a request was seen.</summary>
    public SocketDirection? RequestDirection { get; set; }

    /// <summary>The socket came from a listening one: this side serves, as far as TCP can tell.</summary>
    public bool IsAccepted { get; private set; }

    /// <summary>
    /// What the connection speaks, once a protocol has confirmed it: nothing but <see cref="HandOver"/>, or another word of the kernel side
    /// that is confirmed too, changes that. <see cref="ProtocolId.Foreign"/>: nothing that is followed.
    /// </summary>
    public ProtocolId Protocol { get; internal set; }

    /// <summary>What the kernel side took it for when <see cref="Protocol"/> was settled.</summary>
    internal ProtocolId Named { get; set; }

    /// <summary>The conversation is over, and that of <see cref="Protocol"/> is to follow.</summary>
    internal bool IsHandedOver { get; set; }

    /// <summary>It is among those that <see cref="Passages"/> look at.</summary>
    internal bool IsWatched { get; set; }

    /// <summary>
    /// What a protocol has open on the connection, or what waits for a protocol (<see cref="Undecided"/>); null when it is idle.
    /// </summary>
    internal Conversation? Conversation { get; set; }

    /// <summary>
    /// A conversation gives the connection to another protocol, with all bytes that it has not consumed; to
    /// <see cref="ProtocolId.Foreign"/> when they are of no interest. The conversation is over when it returns.
    /// </summary>
    public void HandOver(ProtocolId protocol)
    {
        Protocol = protocol;
        IsHandedOver = true;
    }

    /// <summary>
    /// Sequence number of the next byte of an operation that is being delivered; another one where the operation comes in stretches.
    /// </summary>
    public uint SequenceOf(in Segment segment) => Position(segment.Direction).Next - (uint)segment.Left;

    /// <summary>The kernel side has settled the context of the next request.</summary>
    internal void Announce(in MessageContext next) => context = next;

    /// <summary>
    /// The context of the request that begins now, if the kernel side has settled one. It is taken: of requests that come together the
    /// first one has it.
    /// </summary>
    /// <param name="direction">The direction of the request.</param>
    /// <param name="taken">The context.</param>
    public bool TryTakeContext(SocketDirection direction, out MessageContext taken)
    {
        taken = context;
        if (context.SpanId == 0 || context.Direction != direction)
        {
            return false;
        }

        context = default;
        return true;
    }

    /// <summary>Whether responses travel in a direction, as far as is known.</summary>
    internal bool IsResponse(SocketDirection direction) => RequestDirection is { } requests && requests != direction;

    /// <summary>How far that direction was followed.</summary>
    internal ref StreamPosition Position(SocketDirection direction) => ref direction == SocketDirection.Send ? ref Send : ref Receive;

    /// <summary>Bytes passed without an event: the conversation, if there is one, is told.</summary>
    /// <param name="direction">Direction of the bytes.</param>
    /// <param name="from">Sequence number of the first missing byte.</param>
    /// <param name="until">Sequence number after the last missing byte.</param>
    /// <param name="time">When this became known; CLOCK_MONOTONIC in nanoseconds.</param>
    internal void Miss(SocketDirection direction, uint from, uint until, long time)
    {
        if (context.Direction == direction && (int)(context.Sequence - until) < 0)
        {
            // The message that it belongs to was not seen.
            context = default;
        }

        Conversation?.OnGap(direction, from, until, time);
        ReleaseIdle();
    }

    /// <summary>Gives a conversation back on which nothing is open.</summary>
    internal void ReleaseIdle()
    {
        if (Conversation is { } conversation && (IsHandedOver || conversation.IsIdle))
        {
            conversation.Release();
            Conversation = null;
        }
    }

    /// <summary>Notes the client that a proxy named.</summary>
    internal void NameClient(in Address address, ushort port)
    {
        client = address;
        NamedClientPort = port;
        HasNamedClient = true;
    }

    /// <summary>Takes the connection of an event; nothing stays of the one for which the object was used before.</summary>
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
        IsAccepted = (e.Flags & SocketEventFlags.Accepted) != 0;
        Protocol = Named = ProtocolId.None;
        IsHandedOver = HasNamedClient = IsWatched = false;
        Conversation = null;
        Caller = CallerParent = 0;
        context = default;
    }
}

/// <summary>How far one direction of a connection was followed.</summary>
internal struct StreamPosition
{
    /// <summary>Sequence number of the next byte, modulo 2^32.</summary>
    public uint Next;

    /// <summary>Whether <see cref="Next"/> is known: it is from the first operation on.</summary>
    public bool Known;

    /// <summary>
    /// Bytes from <see cref="Next"/> to <paramref name="sequence"/>: negative when it lies before. RFC 793 section 3.3 arithmetic.
    /// </summary>
    public readonly int DistanceTo(uint sequence) => Known ? (int)(sequence - Next) : 0;

    /// <summary>Goes on from there: bytes before it were followed or are given up.</summary>
    public void MoveTo(uint sequence)
    {
        Next = sequence;
        Known = true;
    }
}
