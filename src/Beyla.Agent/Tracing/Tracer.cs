using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// Follows connections: finds the place of each operation (<see cref="StreamOrder"/>), lets a protocol recognise the first bytes, and
/// delivers to its conversation. One thread calls everything but <see cref="Count"/>, with events in ring order.
/// </summary>
public sealed class Tracer : IRingSink, ICounted
{
    private readonly FollowedConnections connections;
    private readonly IProtocol[] protocols;
    private readonly Snapshot snapshot = new();
    private long produced, aggregated, filtered, lost;

    /// <summary>A tracer that follows nothing yet.</summary>
    /// <param name="options">Limits.</param>
    /// <param name="protocols">The protocols to look for; the first that recognises a connection keeps it while an exchange is
    /// open.</param>
    public Tracer(TracerOptions options, params IProtocol[] protocols)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConnections, 1);
        connections = new FollowedConnections(options);
        this.protocols = protocols;
    }

    /// <summary>Connections in the table.</summary>
    public int Connections => connections.Held;

    /// <summary>Decodes one record of the ring. A record that is too short for what it claims is counted as lost.</summary>
    /// <param name="record">A <see cref="SocketEvent"/> (bpf/sockets.h, struct socket_event) and the bytes that it captured; read during
    /// the call only.</param>
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

    /// <summary>
    /// Time passes: reports what has timed out and forgets stale connections, a bounded number per call. To be called about every 100 ms.
    /// </summary>
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

            connections.ForgetStale(now);
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
            connections.Count(),
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
        var connection = connections.Find(in e);
        if (e.Length < data.Length)
        {
            // It claims to hold more than was moved.
            return false;
        }

        if (connection is null)
        {
            if (Recognise(data) is not { } protocol)
            {
                return false;
            }

            connection = connections.Add(in e);
            connection.Conversation = protocol.Open(connection);
        }

        if (connection.Ignored || !StreamOrder.TryPlace(connection, in e, ref data, out var length) || !TryOpen(connection, data))
        {
            return false;
        }

        Deliver(connection, in e, data, length);
        return true;
    }

    /// <summary>
    /// A conversation for the new bytes of a connection: the one that is open, or one of the protocol that they begin like.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryOpen(Connection connection, ReadOnlySpan<byte> data)
    {
        if (connection.Conversation is not null)
        {
            return true;
        }

        if (connection.Ignored || Recognise(data) is not { } protocol)
        {
            return false;
        }

        connection.Conversation = protocol.Open(connection);
        return true;
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

    /// <summary>Gives an operation to the conversation, which there is.</summary>
    /// <param name="connection">Whose.</param>
    /// <param name="e">The operation.</param>
    /// <param name="data">Its captured bytes that are new.</param>
    /// <param name="length">All its bytes that are new.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Deliver(Connection connection, in SocketEvent e, ReadOnlySpan<byte> data, long length)
    {
        var segment = new Segment
        {
            Data = data,
            Unseen = length - data.Length,
            Direction = e.Direction,
            Time = (long)e.Time,
            Opposite = e.Opposite,
            Pid = (int)e.Pid,
            Tid = (int)e.Tid,
        };
        connection.Conversation!.OnData(ref segment);
        connection.ReleaseIdle();
        if (connection is { Conversation: null, RequestDirection: null, Ignored: false })
        {
            // It looked like a request but was none: garbage leaves nothing behind.
            connections.Close(connection);
        }
    }

    private bool OnShut(in SocketEvent e)
    {
        // That the peer shut down says nothing yet: what it sent before may still wait to be read by the process.
        if (e.Direction != SocketDirection.Send || connections.Find(in e) is not { Conversation: { } conversation } connection)
        {
            return false;
        }

        StreamOrder.CatchUp(connection, SocketDirection.Send, e.Sequence, (long)e.Time);
        conversation.OnSendShut((long)e.Time);
        connection.ReleaseIdle();
        return true;
    }

    private bool OnClose(in SocketEvent e)
    {
        if (connections.Find(in e) is not { } connection)
        {
            return false;
        }

        if (connection.Conversation is { } conversation)
        {
            StreamOrder.CatchUp(connection, e.Direction, e.Sequence, (long)e.Time);
            StreamOrder.CatchUp(connection, StreamOrder.Other(e.Direction), e.Opposite, (long)e.Time);
            conversation.OnClose((long)e.Time);
        }

        connections.Close(connection);
        return true;
    }

    private bool OnUrgent(in SocketEvent e) => connections.Find(in e) is { } connection && StreamOrder.TryPassUrgent(connection, in e);

    /// <summary>The kernel side gave a connection up. What is open on it ends with what was seen of it.</summary>
    private bool OnForgotten(in SocketEvent e)
    {
        if (connections.Find(in e) is not { } connection)
        {
            return false;
        }

        connection.Conversation?.OnStale();
        connections.Close(connection);
        return true;
    }
}
