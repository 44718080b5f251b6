using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// Follows connections: puts the bytes of each direction in order by TCP sequence numbers and hands them to the protocol that recognised the first of them.
/// One thread calls everything but <see cref="Count"/>, with events in ring order.
/// </summary>
public sealed class Tracer : IRingSink, ICounted
{
    private const int StalePerTick = 256;

    private readonly ConnectionTable table;
    private readonly IProtocol[] protocols;
    private readonly long staleAfter;
    private readonly Snapshot snapshot = new();
    private long produced, aggregated, filtered, lost;
    private long opened, closed, stale, evicted;

    /// <param name="options">Limits.</param>
    /// <param name="protocols">The protocols to look for; the first that recognises a connection keeps it while an exchange is open.</param>
    public Tracer(TracerOptions options, params IProtocol[] protocols)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConnections, 1);
        table = new ConnectionTable(options.MaxConnections);
        staleAfter = options.StaleAfter.Ticks * TimeSpan.NanosecondsPerTick;
        this.protocols = protocols;
    }

    /// <summary>Connections in the table.</summary>
    public int Connections => table.Count;

    /// <summary>Decodes one record of the ring. A record that is too short for what it claims is counted as lost.</summary>
    public void OnRecord(ReadOnlySpan<byte> record)
    {
        var header = Unsafe.SizeOf<SocketEvent>();
        if (record.Length >= header)
        {
            ref readonly var e = ref MemoryMarshal.AsRef<SocketEvent>(record);
            if (e.Captured <= record.Length - header)
            {
                OnSocketEvent(in e, record.Slice(header, e.Captured));
                return;
            }
        }

        snapshot.Enter();
        Snapshot.Add(ref produced);
        Snapshot.Add(ref lost);
        snapshot.Leave();
    }

    /// <summary>Takes one event of the socket programs.</summary>
    /// <param name="e">The event.</param>
    /// <param name="data">Its captured bytes; read during the call only.</param>
    public void OnSocketEvent(in SocketEvent e, ReadOnlySpan<byte> data)
    {
        snapshot.Enter();
        try
        {
            Snapshot.Add(ref produced);
            // What was overdue when this happened is overdue, however late the next tick: an idle agent sleeps longer than some limits.
            foreach (var protocol in protocols)
            {
                protocol.Tick((long)e.Time);
            }

            var used = e.Kind switch
            {
                SocketEventKind.Data => OnData(in e, data),
                SocketEventKind.Shut => OnShut(in e),
                SocketEventKind.Close => OnClose(in e),
                SocketEventKind.Forgotten => OnForgotten(in e),
                SocketEventKind.Urgent => OnUrgent(in e),
                _ => false,
            };
            Snapshot.Add(ref used ? ref aggregated : ref filtered);
        }
        finally
        {
            snapshot.Leave();
        }
    }

    /// <summary>Time passes: reports what has timed out and forgets stale connections, a bounded number per call. To be called about every 100 ms.</summary>
    /// <param name="nowMonotonicNs">CLOCK_MONOTONIC in nanoseconds.</param>
    public void Tick(ulong nowMonotonicNs)
    {
        snapshot.Enter();
        try
        {
            var now = (long)nowMonotonicNs;
            foreach (var protocol in protocols)
            {
                protocol.Tick(now);
            }

            for (var i = 0; i < StalePerTick && table.Oldest is { } connection && now - connection.Touched > staleAfter; i++)
            {
                connection.Conversation?.OnStale();
                Forget(connection);
                Snapshot.Add(ref stale);
            }
        }
        finally
        {
            snapshot.Leave();
        }
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count() => snapshot.Read(() =>
    {
        List<PlaceCounters> places =
        [
            new("tracing", "events", Volatile.Read(ref produced), Aggregated: Volatile.Read(ref aggregated),
                Filtered: Volatile.Read(ref filtered), Lost: Volatile.Read(ref lost)),
            new("tracing", "connections", Volatile.Read(ref opened), Aggregated: Volatile.Read(ref closed),
                Filtered: Volatile.Read(ref stale), Lost: Volatile.Read(ref evicted), Held: table.Count),
        ];
        foreach (var protocol in protocols)
        {
            places.Add(protocol.Count());
            if (protocol.CountUnseen() is { } unseen)
            {
                places.Add(unseen);
            }
        }

        return places;
    });

    private bool OnData(in SocketEvent e, ReadOnlySpan<byte> data)
    {
        var connection = table.Find(e.Connection, (long)e.Time);
        if (connection is null)
        {
            if (Recognise(data) is not { } protocol || e.Length < data.Length)
            {
                return false;
            }

            connection = Add(in e);
            connection.Conversation = protocol.Open(connection);
        }
        else if (connection.Ignored || e.Length < data.Length)
        {
            return false;
        }

        ref var other = ref connection.Position(Other(e.Direction));
        if (!other.Known)
        {
            other.MoveTo(e.Opposite);
        }

        ref var position = ref connection.Position(e.Direction);
        var distance = position.DistanceTo(e.Sequence);
        var length = (long)e.Length;
        if (distance < 0)
        {
            // Bytes that were reported before, as after MSG_PEEK.
            var known = -(long)distance;
            if (known >= length)
            {
                return false;
            }

            length -= known;
            data = data[(int)Math.Min(known, data.Length)..];
        }
        else if (distance > 0)
        {
            connection.Conversation?.OnGap(e.Direction, position.Next, e.Sequence, (long)e.Time);
            ReleaseIdle(connection);
        }

        position.MoveTo(e.Sequence + e.Length);
        if (connection.Conversation is null)
        {
            if (connection.Ignored || Recognise(data) is not { } protocol)
            {
                return false;
            }

            connection.Conversation = protocol.Open(connection);
        }

        var segment = new Segment
        {
            Data = data,
            Unseen = length - data.Length,
            Tail = e.Tail == 0 ? default : MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in e.Tail)),
            Direction = e.Direction,
            Time = (long)e.Time,
            Opposite = e.Opposite,
            Pid = (int)e.Pid,
            Tid = (int)e.Tid,
        };
        connection.Conversation.OnData(ref segment);
        ReleaseIdle(connection);
        if (connection is { Conversation: null, RequestDirection: null, Ignored: false })
        {
            // It looked like a request but was none: garbage leaves nothing behind.
            Forget(connection);
            Snapshot.Add(ref closed);
        }

        return true;
    }

    private bool OnShut(in SocketEvent e)
    {
        // That the peer shut down says nothing yet: what it sent before may still wait to be read by the process.
        if (e.Direction != SocketDirection.Send || table.Find(e.Connection, (long)e.Time) is not { Conversation: { } conversation } connection)
        {
            return false;
        }

        CatchUp(connection, SocketDirection.Send, e.Sequence, (long)e.Time);
        conversation.OnSendShut((long)e.Time);
        ReleaseIdle(connection);
        return true;
    }

    private bool OnClose(in SocketEvent e)
    {
        if (table.Find(e.Connection, (long)e.Time) is not { } connection)
        {
            return false;
        }

        if (connection.Conversation is { } conversation)
        {
            CatchUp(connection, e.Direction, e.Sequence, (long)e.Time);
            CatchUp(connection, Other(e.Direction), e.Opposite, (long)e.Time);
            conversation.OnClose((long)e.Time);
        }

        Forget(connection);
        Snapshot.Add(ref closed);
        return true;
    }

    /// <summary>A byte that has a number and is no part of the stream: it is passed over, and nothing is missing.</summary>
    private bool OnUrgent(in SocketEvent e)
    {
        if (table.Find(e.Connection, (long)e.Time) is not { } connection)
        {
            return false;
        }

        ref var position = ref connection.Position(e.Direction);
        var distance = position.DistanceTo(e.Sequence);
        if (distance > 0)
        {
            connection.Conversation?.OnGap(e.Direction, position.Next, e.Sequence, (long)e.Time);
            ReleaseIdle(connection);
        }

        if (distance >= 0)
        {
            position.MoveTo(e.Sequence + 1);
        }

        return distance >= 0;
    }

    /// <summary>The kernel side gave a connection up. What is open on it ends with what was seen of it.</summary>
    private bool OnForgotten(in SocketEvent e)
    {
        if (table.Find(e.Connection, (long)e.Time) is not { } connection)
        {
            return false;
        }

        connection.Conversation?.OnStale();
        Forget(connection);
        Snapshot.Add(ref closed);
        return true;
    }

    /// <summary>Tells the conversation what passed unseen before the end. A distance of one is the FIN, which takes a sequence number too.</summary>
    private static void CatchUp(Connection connection, SocketDirection direction, uint end, long time)
    {
        ref var position = ref connection.Position(direction);
        if (position.DistanceTo(end) > 1)
        {
            connection.Conversation!.OnGap(direction, position.Next, end, time);
            position.MoveTo(end);
        }
    }

    private Connection Add(in SocketEvent e)
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

    private void Forget(Connection connection)
    {
        connection.Conversation?.Release();
        table.Remove(connection);
    }

    private static void ReleaseIdle(Connection connection)
    {
        if (connection.Conversation is { } conversation && (conversation.IsIdle || connection.Ignored))
        {
            conversation.Release();
            connection.Conversation = null;
        }
    }

    private IProtocol? Recognise(ReadOnlySpan<byte> data)
    {
        foreach (var protocol in protocols)
        {
            if (protocol.MayStart(data))
            {
                return protocol;
            }
        }

        return null;
    }

    private static SocketDirection Other(SocketDirection direction) =>
        direction == SocketDirection.Send ? SocketDirection.Receive : SocketDirection.Send;
}
