using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tracing.Parents;

/// <summary>
/// Gives each span its trace, its identity and its parent: which request of a process led to a call, by what its threads do
/// (docs/context.md has the rules and how often they are right). It stands between the ledgers and the exporter: the tracer tells it
/// which thread does what, the ledgers what that means. A span whose parent shows only by what comes next is held until then. What it
/// does not know for sure is marked (<see cref="ParentSource.Agreement"/>), or has no parent. Counts as place <c>parents</c>. One thread.
/// </summary>
public sealed partial class SpanParents : ISpanSink, ICounted
{
    private readonly ISpanSink next;
    private readonly IProcessLookup? processes;
    private readonly IThreadRule? rule;
    private readonly TraceIds ids = new();
    private readonly OpenTraces traces = new();
    private readonly OpenCalls calls = new();
    private readonly TracedThreads threads = new();
    private readonly PendingCalls pending;
    private TracedThread? current;
    private long time, emitted;
    private uint serial;

    /// <param name="next">Takes the spans.</param>
    /// <param name="processes">Knows what processes are written in; null where that is not known.</param>
    /// <param name="rule">Told how processes work; null where nobody asks.</param>
    public SpanParents(ISpanSink next, IProcessLookup? processes = null, IThreadRule? rule = null)
    {
        this.next = next;
        this.processes = processes;
        this.rule = rule;
        pending = new PendingCalls(next, ids);
        threads.Forgetting = thread =>
        {
            pending.SettleForward(thread.Forward, null);
            pending.SettleWaiting(thread);
        };
    }

    /// <inheritdoc/>
    public void OnOpen(int pid, int servedPort) => next.OnOpen(pid, servedPort);

    /// <inheritdoc/>
    public void OnSpan(in SpanData span)
    {
        Snapshot.Add(ref emitted);
        next.OnSpan(in span);
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        var (left, waiting) = (Volatile.Read(ref emitted), pending.Held);
        return [new PlaceCounters("parents", "spans", left, Emitted: left - waiting, Held: waiting)];
    }

    /// <summary>Settles what has waited too long. To be called about every 100 ms, and with all at the end.</summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    /// <param name="all">Whether nothing may wait longer.</param>
    public void Tick(long now, bool all = false)
    {
        pending.Tick(all ? long.MaxValue : now);
        threads.Tick(now);
    }

    /// <summary>
    /// A thread moves bytes on a followed connection; what the ledgers say until <see cref="EndOperation"/> is its doing.
    /// </summary>
    internal void BeginOperation(in Segment segment, ulong connection)
    {
        time = segment.Time;
        var thread = threads.Find(segment.Pid, segment.Tid, time);
        current = thread;
        thread.Operation++;
        if (segment.Goroutine > thread.Process.Goroutines)
        {
            thread.Process.Goroutines = segment.Goroutine;
        }

        if (thread.Forward.Count > 0 && thread.Operation - thread.ForwardSince > 1)
        {
            pending.SettleForward(thread.Forward, null);
        }

        if (!thread.Move(segment.Direction == SocketDirection.Receive, connection)
            || (segment.Direction == SocketDirection.Receive && thread.ReceivedOn != connection))
        {
            (thread.ReceivedOn, thread.Received) = (0, default);
        }
    }

    /// <summary>What follows is nobody's doing.</summary>
    internal void EndOperation() => current = null;

    /// <summary>The head of a request is there, or all that will be seen of it.</summary>
    /// <param name="exchange">With the process and the thread that read or wrote it.</param>
    /// <param name="connection">On which it is.</param>
    /// <param name="header">The trace that it names itself, or none.</param>
    internal void OnBegun(Exchange exchange, Connection connection, in TraceContext header)
    {
        if (exchange.Context.SpanId != 0)
        {
            return;
        }

        // What the kernel side has settled is known to the next hop, or to the one before.
        var isSettled = connection.TryTakeContext(connection.RequestDirection ?? SocketDirection.Receive, out var settled);
        if (exchange.Pid == 0)
        {
            // Nobody's doing that is known.
            exchange.Context = connection.RequestDirection == SocketDirection.Receive ? header : default;
            Begin(exchange);
            return;
        }

        var thread = current is { } same && same.Tid == exchange.Tid && same.Process.Pid == exchange.Pid ? same
            : threads.Find(exchange.Pid, exchange.Tid, Math.Max(time, exchange.Start));
        var context = isSettled ? settled.ToTrace() : default;
        if (connection.RequestDirection == SocketDirection.Receive)
        {
            // A header goes before all else. What the kernel side has settled its calls have already; else it may be a call of this host.
            var incoming = header;
            if (isSettled && (!header.HasTrace || context.Source == ParentSource.Header))
            {
                incoming = context;
            }
            else if (!header.HasTrace && exchange.Sequence != 0 && calls.TryFind(exchange, connection, out var call))
            {
                incoming = call;
            }

            exchange.Context = incoming;
            OnRequest(exchange, thread, connection.Id);
        }
        else
        {
            OnCall(exchange, thread, connection, in header, in context);
            if (exchange.Sequence != 0 && exchange.Links.Pending is null)
            {
                calls.Add(exchange, connection);
            }
        }

        Tell(thread.Process);
    }

    /// <summary>The first byte of the response to a request was sent.</summary>
    internal void OnAnswered(Exchange request)
    {
        ref var links = ref request.Links;
        if (links.Serial == 0 || links.IsAnswered)
        {
            return;
        }

        links.IsAnswered = true;
        if (current is not { } thread)
        {
            return;
        }

        thread.HasWorked = true;
        pending.SettleForward(thread.Forward, request);
        var isExclusive = !thread.Process.IsLoop;
        thread.Learn(hasResponded: true);
        while (thread.Waiting.Count > 0)
        {
            var call = thread.Waiting[^1];
            // It was there when the call was made.
            var isParent = isExclusive && request.HandlerStart <= call.Start && links.Process == thread.Process;
            pending.Settle(call, isParent ? request : null, ParentSource.Thread, null);
        }

        if (thread.Process.Waiting.Count > 0)
        {
            _ = thread.Process.Waiting.Remove(thread);
        }
    }

    /// <summary>
    /// An exchange is over, and <see cref="Hand"/> follows: its context is complete then, unless its parent is still to show.
    /// </summary>
    /// <param name="exchange">The exchange.</param>
    /// <param name="connection">On which it was.</param>
    internal void Close(Exchange exchange, ulong connection)
    {
        if (exchange.Links.Serial != 0)
        {
            Leave(exchange);
        }
        else if (exchange.Links.Pending is not null)
        {
            return;
        }

        if (exchange.Links.Ports != 0)
        {
            calls.Remove(exchange);
        }

        if (exchange.Links.IsCall && current is { } thread && thread.Process.IsLoop)
        {
            Receive(thread, connection, in exchange.Links.Parent);
        }

        if (!exchange.Context.HasTrace)
        {
            Begin(exchange);
        }
    }

    /// <summary>The span of an exchange goes on, or is held until its parent is known.</summary>
    internal void Hand(Exchange exchange, in SpanData span)
    {
        Snapshot.Add(ref emitted);
        if (exchange.Links.Pending is not { } call)
        {
            next.OnSpan(in span);
        }
        else if (!TryHold(call, in span))
        {
            pending.Settle(call, null, ParentSource.None, null);
            next.OnSpan(span with { Context = exchange.Context });
        }
    }

    /// <summary>An exchange is given up without a span, or is over and was reported.</summary>
    internal void Forget(Exchange exchange)
    {
        if (exchange.Links.Serial != 0)
        {
            Leave(exchange);
        }
        else if (exchange.Links.Pending is { } call)
        {
            pending.Settle(call, null, ParentSource.None, null);
        }
        else if (exchange.Links.Ports != 0)
        {
            calls.Remove(exchange);
        }
    }

    private static void Receive(TracedThread thread, ulong connection, in RequestRef request) =>
        (thread.ReceivedOn, thread.Received) = thread.IsInBatch ? (0, default) : (connection, request);

    /// <summary>Gives an exchange the identities that it does not have yet.</summary>
    private void Begin(Exchange exchange)
    {
        ref var context = ref exchange.Context;
        if (!context.HasTrace)
        {
            ids.Begin(ref context);
        }

        context.SpanId = context.SpanId == 0 ? ids.Next() : context.SpanId;
    }

    /// <summary>A process has read a request, whose context says which trace it is part of, or nothing.</summary>
    private void OnRequest(Exchange request, TracedThread thread, ulong connection)
    {
        var isNamed = request.Context.HasTrace;
        Begin(request);
        ref var links = ref request.Links;
        (links.Serial, links.Connection, links.Process) = (++serial == 0 ? ++serial : serial, connection, thread.Process);
        if (request.Goroutine != 0)
        {
            links.Goroutines = thread.Process.Goroutines;
            thread.Process.Add(request, overlaps: false);
            goroutines.Add(thread.Process.Pid, request.Goroutine, request);
        }
        else
        {
            OnThreadRequest(request, thread, connection);
        }

        if (isNamed)
        {
            traces.Add(request);
        }
    }

    private void OnThreadRequest(Exchange request, TracedThread thread, ulong connection)
    {
        request.Links.Reader = thread;
        var overlaps = false;
        if (thread.Current.Open is { } before)
        {
            if (before.Links.IsAnswered)
            {
                // The thread goes on: the rest of that response is not its work.
                before.Links.Reader = null;
                thread.Open--;
            }
            else
            {
                overlaps = thread.HasWorked && before.Links.Connection != connection;
            }
        }

        thread.Process.Add(request, overlaps);
        thread.Open++;
        thread.Current = new RequestRef(request);
        Receive(thread, connection, thread.Current);
        if (thread.Waiting.Count > 0)
        {
            pending.SettleWaiting(thread);
        }
    }

    /// <summary>Tells the kernel side what was found of a process, when that has changed.</summary>
    private void Tell(TracedProcess process)
    {
        // Of a Go program that tells its goroutines, threads tell nothing.
        var isForbidden = process.IsLoop || process.Goroutines > 0;
        if (rule is null || process.IsToldAsLoop == isForbidden)
        {
            return;
        }

        process.IsToldAsLoop = isForbidden;
        if (isForbidden)
        {
            rule.Forbid(process.Pid);
        }
        else
        {
            rule.Allow(process.Pid);
        }
    }

    private void OnCall(Exchange call, TracedThread thread, Connection connection, in TraceContext header, in TraceContext settled)
    {
        var process = thread.Process;
        thread.HasWorked = true;
        call.Links.IsCall = true;
        var caller = connection.Caller;
        var callerParent = connection.CallerParent;
        connection.Caller = connection.CallerParent = 0;
        if (!process.IsLanguageKnown && processes?.Find(process.Pid) is { } known)
        {
            process.Learn(known.Language);
        }

        if (settled.HasTrace)
        {
            Settle(call, process, in settled);
        }
        else if ((caller | call.Goroutine) != 0)
        {
            OnGoroutineCall(call, process, caller, callerParent, in header);
        }
        else if (header.HasTrace)
        {
            Join(call, process, process.IsLoop ? null : ReadBy(thread), ParentSource.Thread, in header);
        }
        else
        {
            call.Context.SpanId = ids.Next();
            FindParent(call, thread);
        }

        if (thread.Forward.Count > 0)
        {
            if (call.Links.Pending is { } by && by.IsForward)
            {
                PendingCalls.Chain(thread.Forward, by);
            }
            else
            {
                pending.SettleForward(thread.Forward, call.Links.Parent.Open);
            }
        }
    }

    /// <summary>A call whose context is on its way with it.</summary>
    private void Settle(Exchange call, TracedProcess process, in TraceContext settled)
    {
        call.Context = settled;
        if (settled.ParentId != 0 && traces.Find(process.Pid, in settled) is { } request && request.Context.SpanId == settled.ParentId)
        {
            call.Links.Parent = new RequestRef(request);
            request.Links.HasLedTo = true;
        }
    }

    /// <summary>A call that names a trace itself: it belongs to the request of that trace.</summary>
    /// <param name="call">The call.</param>
    /// <param name="process">Which makes it.</param>
    /// <param name="read">The request that its thread or goroutine has read, where that is known.</param>
    /// <param name="source">How that is known.</param>
    /// <param name="header">The trace.</param>
    private void Join(Exchange call, TracedProcess process, Exchange? read, ParentSource source, in TraceContext header)
    {
        var request = traces.Find(process.Pid, in header);
        if (request is null && read is null && process is { IsLoop: true, Open: 1 })
        {
            (read, source) = (process.First, ParentSource.Agreement);
        }

        if (request is null && read is { Context.Source: ParentSource.None, Links.HasLedTo: false } begun)
        {
            // The application begins a trace in this request: that is the request's trace.
            (begun.Context.TraceHigh, begun.Context.TraceLow) = (header.TraceHigh, header.TraceLow);
            begun.Context.Flags = header.Flags;
            traces.Add(begun);
            begun.Links.IsTraceGuessed = source == ParentSource.Agreement;
            Follow(call, begun, source);
        }
        else if (request is not null)
        {
            Follow(call, request, request.Links.IsTraceGuessed ? ParentSource.Agreement : ParentSource.Header);
        }
        else
        {
            call.Context = header;
            (call.Context.ParentId, call.Context.Source) = (0, ParentSource.None);
        }

        // What the next hop is told to be its parent is this call, unless it is handed on, or said of several calls.
        var isOwn = header.ParentId != process.Adopted && request?.Context.ParentId != header.ParentId;
        call.Context.SpanId = isOwn ? header.ParentId : ids.Next();
        process.Adopted = header.ParentId;
    }

    private void FindParent(Exchange call, TracedThread thread)
    {
        var process = thread.Process;
        if (process.IsLoop)
        {
            if (process.Open == 1)
            {
                Follow(call, process.First!, ParentSource.Agreement);
                return;
            }

            if (thread.Received.Open is not null && pending.TryAdd(call, thread, thread.Received, isForward: true))
            {
                return;
            }
        }
        else if (ReadBy(thread) is { } request)
        {
            Follow(call, request, ParentSource.Thread);
            return;
        }
        else if (thread.Open == 0 && process.Open > 0 && process.MayWait && thread.MayRespond
            && pending.TryAdd(call, thread, default, isForward: false))
        {
            return;
        }

        ids.Begin(ref call.Context);
    }

    /// <summary>The one request that a thread has read and that is open.</summary>
    private static Exchange? ReadBy(TracedThread thread) => thread.Open == 1 ? thread.Current.Open : null;

    private static void Follow(Exchange call, Exchange request, ParentSource source)
    {
        call.Context.Follow(in request.Context, source);
        call.Links.Parent = new RequestRef(request);
        request.Links.HasLedTo = true;
    }

    private bool TryHold(PendingCall call, in SpanData span)
    {
        if (!call.IsForward)
        {
            return pending.TryHold(call, in span);
        }

        if (current is not { } thread || !thread.Process.IsLoop || thread.IsInBatch || !pending.TryHold(call, in span))
        {
            return false;
        }

        if (thread.ForwardSince != thread.Operation)
        {
            // What followed the response of those is the response of another call: it tells nothing of them.
            pending.SettleForward(thread.Forward, null);
        }

        Receive(thread, span.Connection, call.Candidate);
        PendingCalls.Put(call, thread.Forward);
        thread.ForwardSince = thread.Operation;
        return true;
    }

    /// <summary>A request is no longer open.</summary>
    private void Leave(Exchange request)
    {
        ref var links = ref request.Links;
        var process = links.Process!;
        if (links.IsInTraces)
        {
            traces.Remove(request);
        }

        if (links.Reader is { } reader)
        {
            reader.Open--;
        }

        if (links.Goroutine != 0)
        {
            goroutines.Remove(process.Pid, request);
        }

        process.Remove(request);
        links = default;
        while (process.Open == 0 && process.Waiting.Count > 0)
        {
            pending.SettleWaiting(process.Waiting[^1]);
        }
    }
}
