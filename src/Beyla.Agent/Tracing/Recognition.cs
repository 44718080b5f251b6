using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// Finds the protocol of a connection: that which the kernel side named, if it agrees, else the first other one that says yes. Tells the
/// kernel side where that is not what it said. It follows no stream: bytes that have to wait are in <see cref="Undecided"/>.
/// </summary>
internal sealed class Recognition
{
    private const int PlaceBits = 10;

    /// <summary>
    /// Changes of direction, all refused, until a connection is told foreign of whose beginning nothing is known: what was seen first may
    /// be the inside of a message.
    /// </summary>
    private const int MaxRefusals = 8;

    private readonly IProtocol[] protocols;
    private readonly IProtocol?[] byId = new IProtocol?[256];
    private readonly IVerdicts verdicts;
    private readonly ObjectPool<Undecided> undecided;

    // By identity, without lists: another connection in the same place only begins anew.
    private readonly (ulong Connection, SocketDirection Direction, int Count)[] refusals =
        new (ulong, SocketDirection, int)[1 << PlaceBits];

    /// <param name="protocols">Asked in this order.</param>
    /// <param name="verdicts">Told where the kernel side says something else.</param>
    /// <param name="buffers">Where first bytes wait.</param>
    public Recognition(IProtocol[] protocols, IVerdicts verdicts, BufferPool buffers)
    {
        Buffers = buffers;
        undecided = new ObjectPool<Undecided>(buffers, Undecided.Size, () => new Undecided(this));
        this.protocols = protocols;
        this.verdicts = verdicts;
        foreach (var protocol in protocols)
        {
            byId[(byte)protocol.Id] = protocol;
            IsPatient |= protocol.FindsLater;
        }
    }

    /// <summary>Where first bytes wait.</summary>
    public BufferPool Buffers { get; }

    /// <summary>A protocol may find its messages later (<see cref="IProtocol.FindsLater"/>): no connection is given up.</summary>
    public bool IsPatient { get; }

    /// <summary>The protocol of that name, or null.</summary>
    public IProtocol? Of(ProtocolId id) => byId[(byte)id];

    /// <summary>Asks the protocols.</summary>
    /// <param name="opening">The first bytes.</param>
    /// <param name="named">What the kernel side says.</param>
    /// <param name="protocol">Which one said yes.</param>
    public Confirmation Ask(in Opening opening, ProtocolId named, out IProtocol? protocol)
    {
        var first = Of(named);
        protocol = first;
        var result = first?.Confirm(in opening) ?? Confirmation.No;
        if (result == Confirmation.Yes)
        {
            return result;
        }

        foreach (var other in protocols)
        {
            var confirmation = other == first ? Confirmation.No : other.Confirm(in opening);
            if (confirmation == Confirmation.Yes)
            {
                protocol = other;
                return confirmation;
            }

            result = confirmation == Confirmation.Undecided ? confirmation : result;
        }

        protocol = null;
        return result;
    }

    /// <summary>A protocol said yes: the connection is its own, with a new conversation.</summary>
    public void Pin(Connection connection, IProtocol protocol, ProtocolId named)
    {
        connection.Protocol = protocol.Id;
        connection.Named = named;
        if (named != protocol.Id)
        {
            verdicts.Tell(connection.Id, protocol.Id);
        }

        connection.Conversation = protocol.Open(connection);
    }

    /// <summary>
    /// Opens a conversation on a connection that has none: that of its protocol, unless the bytes cannot begin a message of it; or that of
    /// another one, which the kernel side has named since and which agrees.
    /// </summary>
    public bool TryReopen(Connection connection, in Opening opening, ProtocolId named)
    {
        if (named != connection.Protocol && named != connection.Named && Of(named) is { } renamed
            && renamed.Confirm(opening with { IsKnown = false }) == Confirmation.Yes)
        {
            connection.RequestDirection = null;
            Pin(connection, renamed, named);
            return true;
        }

        if (named != connection.Protocol)
        {
            verdicts.Tell(connection.Id, connection.Protocol);
        }

        if (Of(connection.Protocol) is not { } protocol || protocol.Confirm(in opening) == Confirmation.No)
        {
            return false;
        }

        connection.Conversation = protocol.Open(connection);
        return true;
    }

    /// <summary>A conversation handed its connection over: opens that of the protocol that has it now, if it is followed.</summary>
    public void TakeOver(Connection connection)
    {
        connection.IsHandedOver = false;
        connection.Protocol = Of(connection.Protocol)?.Id ?? ProtocolId.Foreign;
        verdicts.Tell(connection.Id, connection.Protocol);
        if (Of(connection.Protocol) is { } protocol)
        {
            connection.RequestDirection = null;
            connection.Conversation = protocol.Open(connection);
        }
    }

    /// <summary>
    /// An event names another protocol than its connection has. In the middle of something that is no news, but a verdict that was lost or
    /// is not there yet; else <see cref="TryReopen"/> looks at it.
    /// </summary>
    public void Disagree(Connection connection)
    {
        if (connection.Protocol != ProtocolId.None && (connection.Conversation is not null || connection.Protocol == ProtocolId.Foreign))
        {
            verdicts.Tell(connection.Id, connection.Protocol);
        }
    }

    /// <summary>
    /// Whether an operation is the first one of a connection that began while it was watched. The kernel side says so of all its
    /// operations.
    /// </summary>
    public bool IsFresh(in SocketEvent e) =>
        (e.Flags & SocketEventFlags.Fresh) != 0 && refusals[ConnectionPlace.Of(e.Connection, PlaceBits)].Connection != e.Connection;

    /// <summary>
    /// Nobody wants the bytes of a connection, of which nothing is kept. The kernel side is to recognise anew, or to pass over it.
    /// </summary>
    /// <param name="connection">Its identity.</param>
    /// <param name="direction">Of the bytes.</param>
    /// <param name="named">What the kernel side takes it for.</param>
    /// <param name="isFresh">They are the first ones.</param>
    public void Refuse(ulong connection, SocketDirection direction, ProtocolId named, bool isFresh)
    {
        ref var place = ref refusals[ConnectionPlace.Of(connection, PlaceBits)];
        if (place.Connection != connection)
        {
            place = (connection, direction, 1);
        }
        else if (place.Direction != direction)
        {
            place = (connection, direction, Math.Min(place.Count + 1, MaxRefusals));
        }

        if (!IsPatient && (isFresh || place.Count == MaxRefusals))
        {
            verdicts.Tell(connection, ProtocolId.Foreign);
        }
        else if (named != ProtocolId.None)
        {
            verdicts.Tell(connection, ProtocolId.None);
        }
    }

    /// <summary>What keeps the first bytes of a connection until it is known whose they are.</summary>
    public Undecided Begin(bool isFresh)
    {
        var waiting = undecided.Rent();
        waiting.Begin(isFresh);
        return waiting;
    }

    /// <summary>Takes it back.</summary>
    public void Return(Undecided waiting)
    {
        waiting.Forget(Buffers);
        undecided.Return(waiting);
    }
}
