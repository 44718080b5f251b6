using System.Runtime.CompilerServices;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing.Parents;

namespace Beyla.Agent.Tracing;

/// <summary>
/// Gives operations to conversations: finds the place of each (<see cref="StreamOrder"/>), has the protocol of its connection found
/// (<see cref="Recognition"/>), and takes it apart into segments (<see cref="Stretches"/>).
/// </summary>
internal sealed class Delivery(FollowedConnections connections, Recognition recognition, Passages passages, SpanParents? parents)
{
    /// <summary>Protocols may hand over one to the other; more of it within one operation is a circle.</summary>
    private const int MaxHandOvers = 4;

    /// <summary>Shown of an opening that came in several operations; each of those but the last is no longer than what can wait.</summary>
    private const int JoinedBytes = 4 * Undecided.MaxBytes;

    private readonly EarlyContexts early = new();
    private long unwalked;

    /// <summary>When a protocol has something to do: CLOCK_MONOTONIC in nanoseconds.</summary>
    public long Due { get; set; } = long.MinValue;

    /// <summary>Bytes in which the kernel side did not follow the frames, or null when there are none. Any thread.</summary>
    public PlaceCounters? CountUnwalked()
    {
        var bytes = Volatile.Read(ref unwalked);
        return bytes == 0 ? null : new("frames", "bytes", bytes, Lost: bytes);
    }

    private static bool IsAccepted(in SocketEvent e) => (e.Flags & SocketEventFlags.Accepted) != 0;

    /// <summary>Takes the context of a message that comes next on its connection.</summary>
    /// <param name="e">The event.</param>
    /// <param name="data">What follows the event in its record.</param>
    /// <returns>False when it says nothing.</returns>
    public bool OnContext(in SocketEvent e, ReadOnlySpan<byte> data)
    {
        if (!MessageContext.TryRead(in e, data, out var context))
        {
            return false;
        }

        if (connections.Find(in e) is { } connection)
        {
            connection.Announce(in context);
        }
        else
        {
            early.Keep(e.Connection, in context);
        }

        return true;
    }

    /// <summary>Takes an operation.</summary>
    /// <param name="e">The operation.</param>
    /// <param name="data">What follows the event in its record.</param>
    /// <returns>False when nothing of it is of use.</returns>
    public bool OnData(in SocketEvent e, ReadOnlySpan<byte> data)
    {
        var connection = connections.Find(in e);
        if (!Stretches.TryMeasure(in e, data, out var covered) || covered > e.Length)
        {
            // It claims to hold more than was moved.
            return false;
        }

        if (connection is null)
        {
            connection = Begin(in e, data[..e.Captured]);
            if (connection is null)
            {
                return false;
            }
        }
        else if (connection.Protocol != e.Protocol)
        {
            recognition.Disagree(connection);
        }

        if (e.Passed > 0)
        {
            Passages.Take(connection, in e);
        }

        if (connection.Protocol == ProtocolId.Foreign || !StreamOrder.TryPlace(connection, in e, out var known))
        {
            return false;
        }

        if (e.Unwalked > 0)
        {
            Snapshot.Add(ref unwalked, e.Unwalked);
        }

        Segment segment = default;
        segment.Data = data[..e.Captured];
        segment.Unseen = e.Length - e.Captured;
        segment.Unwalked = e.Unwalked;
        segment.IsAligned = (e.Flags & SocketEventFlags.Aligned) != 0;
        segment.Direction = e.Direction;
        segment.Time = (long)e.Time;
        segment.Opposite = e.Opposite;
        segment.Pid = (int)e.Pid;
        segment.Tid = (int)e.Tid;
        segment.Goroutine = (long)e.Goroutine;
        segment.ParentGoroutine = (long)e.ParentGoroutine;
        segment.IsCalled = (e.Flags & SocketEventFlags.Called) != 0;
        if (segment.IsCalled)
        {
            (connection.Caller, connection.CallerParent) = (segment.Goroutine, segment.ParentGoroutine);
        }

        parents?.BeginOperation(in segment, connection.Id);
        var used = e.Pieces > 0 ? DeliverStretches(connection, in e, data, ref segment, known)
            : DeliverWhole(connection, in e, ref segment, known);
        parents?.EndOperation();
        return used;
    }

    /// <summary>An operation of which nothing but its first bytes was captured.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool DeliverWhole(Connection connection, in SocketEvent e, scoped ref Segment segment, long known)
    {

        if (known > 0)
        {
            segment.Skip(known);
        }

        if (!TryOpen(connection, in e, in segment) || !Deliver(connection, ref segment))
        {
            return false;
        }

        // Of other protocols every byte has an event.
        if (e.Direction == SocketDirection.Send && connection is { Conversation: not null, Protocol: ProtocolId.Http })
        {
            passages.Look(connection);
        }

        return true;
    }

    /// <summary>The first operation of a connection that is not followed yet.</summary>
    /// <returns>Null when nobody wants it.</returns>
    private Connection? Begin(in SocketEvent e, ReadOnlySpan<byte> data)
    {
        var isFresh = recognition.IsFresh(in e);
        var context = early.Take(e.Connection);
        var opening = new Opening
        {
            Data = data, Length = e.Length, Direction = e.Direction, IsFresh = isFresh, IsAccepted = IsAccepted(in e),
        };
        var confirmation = recognition.Ask(in opening, e.Protocol, out var protocol);
        if (confirmation == Confirmation.No || (confirmation == Confirmation.Undecided && !Undecided.CanWait(in opening)))
        {
            // Of one that needs more bytes than can wait it is not known that it is foreign.
            recognition.Refuse(e.Connection, e.Direction, e.Protocol, isFresh && confirmation == Confirmation.No);
            return null;
        }

        var connection = connections.Add(in e);
        connection.Announce(in context);
        if (protocol is null)
        {
            connection.Conversation = recognition.Begin(isFresh);
        }
        else
        {
            recognition.Pin(connection, protocol, e.Protocol);
        }

        return connection;
    }

    /// <summary>An operation of which more than its first bytes was captured: all bytes in their order.</summary>
    private bool DeliverStretches(
        Connection connection, in SocketEvent e, ReadOnlySpan<byte> data, scoped ref Segment segment, long known)
    {
        var stretches = new Stretches(in e, data);
        var used = false;
        while (stretches.TryNext(ref segment))
        {
            var skip = Math.Min(known, segment.Left);
            segment.Skip(skip);
            known -= skip;
            if (segment.Left > 0 && TryOpen(connection, in e, in segment))
            {
                used = true;
                if (!Deliver(connection, ref segment))
                {
                    break;
                }
            }
        }

        return used;
    }

    /// <summary>
    /// Sees to it that a connection has a conversation for its next bytes: that which is open, or one of the protocol that they begin like.
    /// </summary>
    /// <returns>False when nobody wants them.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryOpen(Connection connection, in SocketEvent e, in Segment segment) =>
        (connection.Conversation is not null && connection.Protocol != ProtocolId.None) || TryFind(connection, in e, in segment);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryFind(Connection connection, in SocketEvent e, in Segment segment)
    {
        if (connection.Conversation is Undecided undecided)
        {
            return TryDecide(connection, undecided, in e, in segment);
        }

        if (connection.IsHandedOver)
        {
            recognition.TakeOver(connection);
        }

        if (connection.Conversation is not null || connection.Protocol == ProtocolId.Foreign)
        {
            return connection.Conversation is not null;
        }

        var opening = new Opening
        {
            Data = segment.Data, Length = segment.Left, Direction = segment.Direction, IsKnown = true, IsAccepted = IsAccepted(in e),
        };
        return recognition.TryReopen(connection, in opening, e.Protocol);
    }

    /// <summary>Asks with the bytes that wait and the next ones. They may wait on: then they are delivered to what keeps them.</summary>
    private bool TryDecide(Connection connection, Undecided undecided, in SocketEvent e, in Segment segment)
    {
        Span<byte> scratch = stackalloc byte[JoinedBytes], others = stackalloc byte[Undecided.MaxBytes];
        ref var wait = ref undecided.Of(segment.Direction);
        var confirmation = Confirmation.No;
        IProtocol? protocol = null;
        if (wait != Wait.InVain)
        {
            var next = wait == Wait.ForMore ? segment : new Segment { Direction = segment.Direction, Unseen = 1 };
            var opening = new Opening
            {
                Data = undecided.Join(in next, scratch),
                Length = undecided.Length(segment.Direction) + next.Left,
                Other = undecided.Join(new Segment { Direction = StreamOrder.Other(segment.Direction) }, others),
                Direction = segment.Direction,
                IsFresh = undecided.IsFresh,
                IsAccepted = IsAccepted(in e),
            };
            confirmation = recognition.Ask(in opening, e.Protocol, out protocol);
        }

        if (protocol is not null)
        {
            recognition.Pin(connection, protocol, e.Protocol);
            return Replay(connection, undecided, in e, in segment);
        }

        if (confirmation == Confirmation.Undecided && wait == Wait.ForMore && undecided.HasRoom(in segment))
        {
            return true;
        }

        wait = Wait.InVain;
        var other = StreamOrder.Other(segment.Direction);
        if (undecided.Of(other) != Wait.InVain && undecided.Length(other) > 0 && undecided.HasRoom(in segment))
        {
            // These are not the beginning of a request, but those may be.
            return true;
        }

        recognition.Refuse(
            connection.Id, segment.Direction, e.Protocol, undecided.IsFresh && confirmation == Confirmation.No);
        if (recognition.IsPatient && segment.Unseen == 0 && segment.Data.Length <= Undecided.MaxBytes)
        {
            // What waited is no beginning, but this may be one.
            undecided.Begin(isFresh: false);
            return true;
        }

        connections.Close(connection);
        return false;
    }

    /// <summary>
    /// Delivers what waited, as it came. Whether the conversation is idle in the meantime does not matter: the bytes belong together.
    /// </summary>
    /// <returns>Whether there is a conversation for the bytes after it.</returns>
    private bool Replay(Connection connection, Undecided undecided, in SocketEvent e, in Segment next)
    {
        var segment = default(Segment);
        for (var i = 0; i < undecided.Count && connection.Conversation is { } conversation; i++)
        {
            undecided.Get(i, ref segment, out var gap);
            if (segment.IsGap)
            {
                conversation.OnGap(segment.Direction, gap.From, gap.Until, segment.Time);
            }
            else
            {
                conversation.OnData(ref segment);
            }

            if (connection.IsHandedOver)
            {
                connection.ReleaseIdle();
                _ = Settle(connection, ref segment);
            }
        }

        recognition.Return(undecided);
        return TryOpen(connection, in e, in next);
    }

    /// <summary>Gives bytes to the conversation, which there is.</summary>
    /// <returns>Whether the connection is still followed.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Deliver(Connection connection, ref Segment segment)
    {
        connection.Conversation!.OnData(ref segment);
        connection.ReleaseIdle();
        // Only what opens an exchange has a new limit, and that is a request.
        if (!connection.IsResponse(segment.Direction) && recognition.Of(connection.Protocol) is { } protocol)
        {
            Due = Math.Min(Due, protocol.Due);
        }

        return connection.Conversation is not null || Settle(connection, ref segment);
    }

    /// <summary>The conversation is over: another protocol goes on, the connection waits for its next message, or it was none.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Settle(Connection connection, ref Segment segment)
    {
        var isHandedOver = connection.IsHandedOver;
        for (var i = 0; connection.IsHandedOver; i++)
        {
            if (i == MaxHandOvers)
            {
                connection.HandOver(ProtocolId.Foreign);
            }

            recognition.TakeOver(connection);
            if (segment.Left > 0)
            {
                connection.Conversation?.OnData(ref segment);
            }

            connection.ReleaseIdle();
        }

        if (!isHandedOver && connection is { Conversation: null, RequestDirection: null })
        {
            // It looked like a request but was none: garbage leaves nothing behind.
            recognition.Refuse(connection.Id, segment.Direction, connection.Protocol, isFresh: false);
            connections.Close(connection);
            return false;
        }

        return true;
    }
}
