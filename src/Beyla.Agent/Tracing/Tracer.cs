using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing.Parents;

namespace Beyla.Agent.Tracing;

/// <summary>
/// Follows connections: what was moved on them goes to their conversations (<see cref="Delivery"/>), as do their ends and the time. One
/// thread calls everything but <see cref="Count"/>, with events in ring order.
/// </summary>
public sealed class Tracer : IRingSink, ICounted
{
    private readonly FollowedConnections connections;
    private readonly IProtocol[] protocols;
    private readonly Delivery delivery;
    private readonly Passages passages;
    private readonly BufferPool buffers;
    private readonly Snapshot snapshot = new();
    private long produced, aggregated, filtered, lost;
    private bool isShortened, isInBatch;

    /// <summary>A tracer that follows nothing yet and tells the kernel side nothing.</summary>
    /// <param name="options">Limits.</param>
    /// <param name="protocols">The protocols to look for, in this order.</param>
    public Tracer(TracerOptions options, params IProtocol[] protocols)
        : this(options, new BufferPool(), new NoVerdicts(), protocols)
    {
    }

    /// <summary>A tracer that follows nothing yet.</summary>
    /// <param name="options">Limits.</param>
    /// <param name="buffers">The memory budget, the same that the protocols have.</param>
    /// <param name="verdicts">Told what connections speak.</param>
    /// <param name="protocols">The protocols to look for, in this order; what the kernel side names goes before.</param>
    public Tracer(TracerOptions options, BufferPool buffers, IVerdicts verdicts, params IProtocol[] protocols)
        : this(options, buffers, verdicts, new NothingPassed(), protocols)
    {
    }

    /// <summary>A tracer that follows nothing yet.</summary>
    /// <param name="options">Limits.</param>
    /// <param name="buffers">The memory budget, the same that the protocols have.</param>
    /// <param name="verdicts">Told what connections speak.</param>
    /// <param name="passed">Asked what was sent and no event told of.</param>
    /// <param name="protocols">The protocols to look for, in this order; what the kernel side names goes before.</param>
    public Tracer(TracerOptions options, BufferPool buffers, IVerdicts verdicts, IPassed passed, params IProtocol[] protocols)
        : this(options, buffers, verdicts, passed, null, protocols)
    {
    }

    /// <summary>A tracer that follows nothing yet.</summary>
    /// <param name="options">Limits.</param>
    /// <param name="buffers">The memory budget, the same that the protocols have.</param>
    /// <param name="verdicts">Told what connections speak.</param>
    /// <param name="passed">Asked what was sent and no event told of.</param>
    /// <param name="parents">Told which thread does what, the same that the protocols have; null where no parents are looked for.</param>
    /// <param name="protocols">The protocols to look for, in this order; what the kernel side names goes before.</param>
    public Tracer(
        TracerOptions options, BufferPool buffers, IVerdicts verdicts, IPassed passed, SpanParents? parents, params IProtocol[] protocols)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConnections, 1);
        connections = new FollowedConnections(options);
        passages = new Passages(passed);
        delivery = new Delivery(connections, new Recognition(protocols, verdicts, buffers), passages, parents);
        this.protocols = protocols;
        this.buffers = buffers;
    }

    /// <summary>Connections in the table.</summary>
    public int Connections => connections.Held;

    /// <summary>Decodes one record of the ring. A record that is too short for what it claims is counted as lost.</summary>
    /// <param name="record">A <see cref="SocketEvent"/> (bpf/sockets.h, struct socket_event), the bytes that it captured, and its further
    /// stretches; read during the call only.</param>
    public void OnRecord(ReadOnlySpan<byte> record)
    {
        var header = Unsafe.SizeOf<SocketEvent>();
        if (record.Length >= header)
        {
            ref readonly var e = ref MemoryMarshal.AsRef<SocketEvent>(record);
            var data = record[header..];
            if (Stretches.TryMeasure(in e, data, out _))
            {
                OnSocketEvent(in e, data);
                return;
            }
        }

        if (isInBatch)
        {
            Refuse();
            return;
        }

        snapshot.Enter();
        Refuse();
        snapshot.Leave();
    }

    /// <inheritdoc/>
    public void BeginBatch()
    {
        snapshot.Enter();
        isInBatch = true;
    }

    /// <inheritdoc/>
    public void EndBatch()
    {
        isInBatch = false;
        snapshot.Leave();
    }

    /// <summary>Takes one event of the socket programs.</summary>
    /// <param name="e">The event.</param>
    /// <param name="data">Its captured bytes and further stretches; read during the call only.</param>
    public void OnSocketEvent(in SocketEvent e, ReadOnlySpan<byte> data)
    {
        if (isInBatch)
        {
            Take(in e, data);
            return;
        }

        BeginBatch();
        try
        {
            Take(in e, data);
        }
        finally
        {
            EndBatch();
        }
    }

    private void Take(in SocketEvent e, ReadOnlySpan<byte> data)
    {
        Snapshot.Add(ref produced);
        // What was overdue when this happened is overdue, however late the next tick: an idle agent sleeps longer than some limits.
        if ((long)e.Time >= delivery.Due)
        {
            TickProtocols((long)e.Time);
        }

        var used = e.Kind switch
        {
            SocketEventKind.Data => delivery.OnData(in e, data),
            SocketEventKind.Context => delivery.OnContext(in e, data),
            _ => OnOther(in e),
        };
        Snapshot.Add(ref used ? ref aggregated : ref filtered);
        if (buffers.IsTight)
        {
            Relieve();
        }
    }

    private bool OnOther(in SocketEvent e)
    {
        if (e.Passed > 0 && connections.Find(in e) is { } connection)
        {
            Passages.Take(connection, in e);
        }

        return e.Kind switch
        {
            SocketEventKind.Shut => OnShut(in e),
            SocketEventKind.Close => OnClose(in e),
            SocketEventKind.Forgotten => OnForgotten(in e),
            SocketEventKind.Urgent => OnUrgent(in e),
            _ => false,
        };
    }

    private void Refuse()
    {
        Snapshot.Add(ref produced);
        Snapshot.Add(ref lost);
    }

    /// <summary>
    /// Looks at what was sent without an event by connections that wait for it. To be called after each reading of the ring, and when there
    /// was nothing to read.
    /// </summary>
    public void LookAtPassed()
    {
        if (!passages.IsWatching)
        {
            return;
        }

        BeginBatch();
        try
        {
            passages.LookAtAll();
        }
        finally
        {
            EndBatch();
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
            TickProtocols(now);
            connections.ForgetStale(now);
            isShortened &= buffers.IsTight;
            buffers.Trim(now);
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
        if (delivery.CountUnwalked() is { } unwalked)
        {
            places.Add(unwalked);
        }

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

    /// <summary>
    /// Over half of the budget what is there already is shortened, once until that helped; near its end what was silent longest is given
    /// up.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Relieve()
    {
        if (!isShortened)
        {
            isShortened = true;
            connections.Shorten();
        }

        if (buffers.IsFull)
        {
            connections.Relieve(buffers);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TickProtocols(long now)
    {
        delivery.Due = long.MaxValue;
        foreach (var protocol in protocols)
        {
            protocol.Tick(now);
            delivery.Due = Math.Min(delivery.Due, protocol.Due);
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
