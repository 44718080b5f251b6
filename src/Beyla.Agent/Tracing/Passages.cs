using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// Brings bytes to conversations of which no event told when they were sent: from the next event of the connection, or before that from the
/// memory of the kernel side, which is looked at for connections that wait for the end of something. They are not lost, only unseen.
/// </summary>
internal sealed class Passages(IPassed passed)
{
    /// <summary>Connections that are looked at; what others send is known with their next event.</summary>
    private const int MaxWatched = 1024;

    private readonly List<(Connection Connection, ulong Id)> watched = [];

    /// <summary>Whether there are connections to be looked at.</summary>
    public bool IsWatching => watched.Count > 0;

    /// <summary>Takes what an event tells of bytes that were sent before it.</summary>
    /// <param name="connection">Of the event.</param>
    /// <param name="e">The event; it tells of some.</param>
    public static void Take(Connection connection, in SocketEvent e)
    {
        var from = e.PassedUntil - e.Passed;
        ref var position = ref connection.Send;
        if (position.DistanceTo(from) > 0)
        {
            connection.Miss(SocketDirection.Send, position.Next, from, (long)e.PassedTime);
            position.MoveTo(from);
        }

        Deliver(connection, e.PassedUntil, (long)e.PassedTime);
    }

    /// <summary>Looks whether a connection, of which an event was just delivered, has sent more; if it waits on, it is watched.</summary>
    public void Look(Connection connection)
    {
        if (!IsComplete(connection) && !connection.IsWatched && watched.Count < MaxWatched)
        {
            connection.IsWatched = true;
            watched.Add((connection, connection.Id));
        }
    }

    /// <summary>Looks at all that are watched.</summary>
    public void LookAtAll()
    {
        for (var i = watched.Count - 1; i >= 0; i--)
        {
            var (connection, id) = watched[i];
            if (connection.Id != id || IsComplete(connection))
            {
                connection.IsWatched &= connection.Id != id;
                watched[i] = watched[^1];
                watched.RemoveAt(watched.Count - 1);
            }
        }
    }

    /// <summary>Whether nothing is open on a connection, after what it has sent until now.</summary>
    private bool IsComplete(Connection connection)
    {
        if (connection.Conversation is not null && passed.TryRead(connection.Id, connection.Send.Next, out var until, out var time))
        {
            Deliver(connection, until, time);
        }

        return connection.Conversation is null;
    }

    private static void Deliver(Connection connection, uint until, long time)
    {
        ref var position = ref connection.Send;
        // 0 where nothing was followed before: then it begins behind them.
        var bytes = position.DistanceTo(until);
        if (bytes <= 0 && position.Known)
        {
            return;
        }

        var from = position.Next;
        position.MoveTo(until);
        if (bytes == 0 || connection.Conversation is not { } conversation)
        {
            return;
        }

        if (connection.RequestDirection is null)
        {
            // Nobody knows yet what is spoken: the bytes have no content that could tell.
            conversation.OnGap(SocketDirection.Send, from, until, time);
        }
        else
        {
            var segment = new Segment { Direction = SocketDirection.Send, Unseen = bytes, Time = time, Opposite = connection.Receive.Next };
            conversation.OnData(ref segment);
        }

        if (!connection.IsHandedOver)
        {
            connection.ReleaseIdle();
        }
    }
}
