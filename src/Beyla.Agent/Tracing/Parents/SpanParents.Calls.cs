using Beyla.Agent.Spans;

namespace Beyla.Agent.Tracing.Parents;

// The calls that processes make, and the rules by which they get their parent.
public sealed partial class SpanParents
{
    private void OnCall(Exchange call, TracedThread thread, Connection connection, in TraceContext header, in TraceContext settled)
    {
        var process = thread.Process;
        thread.HasWorked = true;
        call.Links.IsCall = true;
        var caller = connection.Caller;
        var callerParent = connection.CallerParent;
        connection.Caller = connection.CallerParent = 0;
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

    private static void Receive(TracedThread thread, ulong connection, in RequestRef request) =>
        (thread.ReceivedOn, thread.Received) = thread.IsInBatch ? (0, default) : (connection, request);
}
