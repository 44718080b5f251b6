namespace Beyla.Agent.Tracing.Parents;

// The requests that processes serve, from the end of their head to the end of their response.
public sealed partial class SpanParents
{
    private uint serial;

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
        pending.SettleWaiting(thread);
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
