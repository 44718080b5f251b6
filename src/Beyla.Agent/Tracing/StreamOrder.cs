using System.Runtime.CompilerServices;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// Puts the operations of each direction in order by TCP sequence numbers (RFC 9293 section 3.4: modulo 2^32): what was reported before
/// is cut off, what is missing is told to the conversation. It knows how far each direction was followed; it never looks at bytes.
/// </summary>
internal static class StreamOrder
{
    /// <summary>Finds the place of an operation and moves its direction behind it.</summary>
    /// <param name="connection">Its conversation is notified of bytes that are missing before the operation.</param>
    /// <param name="e">The operation.</param>
    /// <param name="known">Bytes at its beginning that were reported before, as after MSG_PEEK.</param>
    /// <returns>Whether something of it is new.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryPlace(Connection connection, in SocketEvent e, out long known)
    {
        ref var other = ref connection.Position(Other(e.Direction));
        if (!other.Known)
        {
            other.MoveTo(e.Opposite);
        }

        ref var position = ref connection.Position(e.Direction);
        var distance = position.DistanceTo(e.Sequence);
        known = 0;
        if (distance < 0)
        {
            known = -(long)distance;
            if (known >= e.Length)
            {
                return false;
            }
        }
        else if (distance > 0)
        {
            connection.Miss(e.Direction, position.Next, e.Sequence, (long)e.Time);
        }

        position.MoveTo(e.Sequence + e.Length);
        return true;
    }

    /// <summary>Passes over a byte that has a number and is no part of the stream (urgent data): nothing is missing.</summary>
    /// <returns>Whether it was not passed before.</returns>
    public static bool TryPassUrgent(Connection connection, in SocketEvent e)
    {
        ref var position = ref connection.Position(e.Direction);
        var distance = position.DistanceTo(e.Sequence);
        if (distance > 0)
        {
            connection.Miss(e.Direction, position.Next, e.Sequence, (long)e.Time);
        }

        if (distance >= 0)
        {
            position.MoveTo(e.Sequence + 1);
        }

        return distance >= 0;
    }

    /// <summary>
    /// Tells the conversation, which there is, what passed unseen before the end. A distance of one is the FIN, which takes a number too.
    /// </summary>
    public static void CatchUp(Connection connection, SocketDirection direction, uint end, long time)
    {
        ref var position = ref connection.Position(direction);
        if (position.DistanceTo(end) > 1)
        {
            connection.Conversation!.OnGap(direction, position.Next, end, time);
            position.MoveTo(end);
        }
    }

    /// <summary>The direction against this one.</summary>
    public static SocketDirection Other(SocketDirection direction) =>
        direction == SocketDirection.Send ? SocketDirection.Receive : SocketDirection.Send;
}
