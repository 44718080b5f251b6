using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// The connections that are followed: makes room for new ones, forgets those that ended or fell silent, and counts what became of each.
/// The tracing thread calls everything but <see cref="Count"/>, inside of the tracer's <see cref="Snapshot"/>.
/// </summary>
internal sealed class FollowedConnections(TracerOptions options)
{
    private const int StalePerTick = 256;

    private readonly ConnectionTable table = new(options.MaxConnections);
    private readonly long staleAfter = options.StaleAfter.Ticks * TimeSpan.NanosecondsPerTick;
    private long opened, closed, stale, evicted;

    /// <summary>Connections in the table.</summary>
    public int Held => table.Count;

    /// <summary>The connection of an event, or null.</summary>
    /// <param name="e">The event.</param>
    public Connection? Find(in SocketEvent e) => table.Find(e.Connection, (long)e.Time);

    /// <summary>Begins to follow the connection of an event; in a full table at the cost of the one that was silent longest.</summary>
    public Connection Add(in SocketEvent e)
    {
        if (table.IsFull && table.Oldest is { } oldest)
        {
            oldest.Conversation?.OnEvict();
            Forget(oldest);
            Snapshot.Add(ref evicted);
        }

        Snapshot.Add(ref opened);
        return table.Add(in e);
    }

    /// <summary>The connection is over, or was none of any protocol.</summary>
    public void Close(Connection connection)
    {
        Forget(connection);
        Snapshot.Add(ref closed);
    }

    /// <summary>Forgets connections that were silent for too long, a bounded number per call.</summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    public void ForgetStale(long now)
    {
        for (var i = 0; i < StalePerTick && table.Oldest is { } connection && now - connection.Touched > staleAfter; i++)
        {
            connection.Conversation?.OnStale();
            Forget(connection);
            Snapshot.Add(ref stale);
        }
    }

    /// <summary>Memory is tight: what all conversations keep and can be shortened is.</summary>
    public void Shorten()
    {
        for (var connection = table.Oldest; connection is not null; connection = connection.Newer)
        {
            connection.Conversation?.OnPressure();
        }
    }

    /// <summary>
    /// Gives up what is open on the connections that were silent longest, until a quarter of what was in use is free. They are still
    /// followed: their next message is as welcome as before.
    /// </summary>
    /// <param name="buffers">The memory budget.</param>
    public void Relieve(BufferPool buffers)
    {
        var enough = buffers.Used / 4 * 3;
        for (var connection = table.Oldest; connection is not null && buffers.Used > enough;)
        {
            var newer = connection.Newer;
            if (connection.Conversation is { } conversation)
            {
                conversation.OnEvict();
                conversation.Release();
                connection.Conversation = null;
                if (connection is { RequestDirection: null, IsHandedOver: false })
                {
                    Close(connection);
                }
            }

            connection = newer;
        }
    }

    /// <summary>What became of the connections. Any thread, inside of <see cref="Snapshot.Read"/>.</summary>
    public PlaceCounters Count() => new("tracing", "connections", Volatile.Read(ref opened), Aggregated: Volatile.Read(ref closed),
        Filtered: Volatile.Read(ref stale), Lost: Volatile.Read(ref evicted), Held: table.Count);

    private void Forget(Connection connection)
    {
        connection.Conversation?.Release();
        table.Remove(connection);
    }
}
