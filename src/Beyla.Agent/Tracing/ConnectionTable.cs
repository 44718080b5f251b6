using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>The followed connections by identity, and in order of their last activity. Objects are used again.</summary>
internal sealed class ConnectionTable(int capacity)
{
    // Order by activity need not be finer than this, and moving an entry dirties its neighbours' cache lines.
    private const long TouchInterval = 1_000_000_000;
    private const int MaxSpare = 4096, RecentBits = 8;

    private readonly Dictionary<ulong, Connection> connections = [];
    private readonly Stack<Connection> spare = [];
    private Connection? newest;

    // By a few bits of the identity: those that were asked for last. Of a small exchange the operations follow each other.
    private readonly Connection?[] recent = new Connection?[1 << RecentBits];

    /// <summary>Connections in the table.</summary>
    public int Count => connections.Count;

    /// <summary>Whether one has to be removed before another is added.</summary>
    public bool IsFull => connections.Count >= capacity;

    /// <summary>The least recently active connection; <see cref="Connection.Newer"/> leads on.</summary>
    public Connection? Oldest { get; private set; }

    /// <summary>
    /// The connection of that identity, or null; noted as active at <paramref name="time"/>, CLOCK_MONOTONIC in
    /// nanoseconds.
    /// </summary>
    public Connection? Find(ulong id, long time)
    {
        ref var place = ref recent[ConnectionPlace.Of(id, RecentBits)];
        var connection = place;
        if (connection?.Id != id && connections.TryGetValue(id, out connection))
        {
            place = connection;
        }

        if (connection is not null && time - connection.Touched > TouchInterval)
        {
            Unlink(connection);
            Append(connection, time);
        }

        return connection;
    }

    /// <summary>Adds the connection of an event; its identity is not in the table yet.</summary>
    public Connection Add(in SocketEvent e)
    {
        var connection = spare.TryPop(out var used) ? used : new Connection();
        connection.Begin(in e);
        connections.Add(e.Connection, connection);
        Append(connection, (long)e.Time);
        return connection;
    }

    /// <summary>Removes a connection, whose conversation is over. The object may be used for another one from now on.</summary>
    public void Remove(Connection connection)
    {
        recent[ConnectionPlace.Of(connection.Id, RecentBits)] = null;
        Unlink(connection);
        _ = connections.Remove(connection.Id);
        connection.Conversation = null;
        if (spare.Count < MaxSpare)
        {
            spare.Push(connection);
        }
    }

    private void Append(Connection connection, long time)
    {
        connection.Touched = time;
        connection.Older = newest;
        connection.Newer = null;
        if (newest is null)
        {
            Oldest = connection;
        }
        else
        {
            newest.Newer = connection;
        }

        newest = connection;
    }

    private void Unlink(Connection connection)
    {
        if (connection.Older is null)
        {
            Oldest = connection.Newer;
        }
        else
        {
            connection.Older.Newer = connection.Newer;
        }

        if (connection.Newer is null)
        {
            newest = connection.Older;
        }
        else
        {
            connection.Newer.Older = connection.Older;
        }

        connection.Older = connection.Newer = null;
    }
}
