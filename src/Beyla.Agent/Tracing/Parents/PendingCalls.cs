using Beyla.Agent.Counting;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tracing.Parents;

/// <summary>
/// The calls of which it is not known yet which request led to them, and their spans where the call is over before that is known. Their
/// number, memory and time are bounded: what cannot wait has no parent.
/// </summary>
internal sealed class PendingCalls(ISpanSink next, TraceIds ids)
{
    /// <summary>Calls that wait at a time, in all and for one thread.</summary>
    private const int MaxCalls = 4096, MaxOfThread = 64;

    /// <summary>Bytes of texts of spans that are held.</summary>
    private const int MaxTexts = 4 << 20;

    /// <summary>A span is held for no longer, nanoseconds.</summary>
    private const long Longest = 5_000_000_000;

    private readonly Stack<PendingCall> spare = [];
    private readonly Queue<(PendingCall Call, uint Serial, long Until)> limits = [];
    private int count, texts;
    private long held;

    /// <summary>Spans that wait. Any thread.</summary>
    public long Held => Volatile.Read(ref held);

    /// <summary>A call waits for what its thread does.</summary>
    /// <param name="call">With its context, which has no trace yet.</param>
    /// <param name="thread">Which made it.</param>
    /// <param name="candidate">What its thread did before speaks for that request.</param>
    /// <param name="isForward">Whether what follows the response decides; else the next response of the thread.</param>
    /// <returns>False when there is no room.</returns>
    public bool TryAdd(Exchange call, TracedThread thread, in RequestRef candidate, bool isForward)
    {
        if (count >= MaxCalls || thread.Waiting.Count >= MaxOfThread || thread.Forward.Count >= MaxOfThread)
        {
            return false;
        }

        count++;
        var pending = spare.TryPop(out var used) ? used : new PendingCall();
        pending.Begin(call, thread, in candidate, isForward);
        call.Links.Pending = pending;
        if (!isForward)
        {
            if (thread.Waiting.Count == 0)
            {
                thread.Process.Waiting.Add(thread);
            }

            Put(pending, thread.Waiting);
        }

        return true;
    }

    /// <summary>A call is over whose parent is not known yet.</summary>
    /// <param name="pending">The call.</param>
    /// <param name="span">Its span; the context is still to come.</param>
    /// <returns>False when there is no room to keep it: its parent is to be settled now.</returns>
    public bool TryHold(PendingCall pending, in SpanData span)
    {
        if (texts + span.Values.TextLength > MaxTexts)
        {
            return false;
        }

        pending.Exchange!.Links.Pending = null;
        pending.Hold(in span);
        texts += pending.TextLength;
        Snapshot.Add(ref held);
        limits.Enqueue((pending, pending.Serial, span.End + Longest));
        return true;
    }

    /// <summary>The operation after the response of some calls is another call, which speaks for them.</summary>
    /// <param name="calls">They; empty afterwards.</param>
    /// <param name="by">The other one.</param>
    public static void Chain(List<PendingCall> calls, PendingCall by)
    {
        foreach (var call in calls)
        {
            Put(call, by.Chain);
            foreach (var earlier in call.Chain)
            {
                Put(earlier, by.Chain);
            }

            call.Chain.Clear();
        }

        calls.Clear();
    }

    /// <summary>Puts a call into a list, out of which it is taken when it is settled.</summary>
    public static void Put(PendingCall pending, List<PendingCall> list)
    {
        list.Add(pending);
        pending.In = list;
    }

    /// <summary>Settles all calls of a list that wait for what follows.</summary>
    /// <param name="calls">Empty afterwards.</param>
    /// <param name="found">What follows speaks for that request; null when it speaks for none.</param>
    public void SettleForward(List<PendingCall> calls, Exchange? found)
    {
        while (calls.Count > 0)
        {
            var call = calls[^1];
            Settle(call, found is not null && call.Candidate.Is(found) ? found : null, ParentSource.Agreement, found);
        }
    }

    /// <summary>The thread will not respond to a request in which its calls were made.</summary>
    public void SettleWaiting(TracedThread thread)
    {
        while (thread.Waiting.Count > 0)
        {
            Settle(thread.Waiting[^1], null, ParentSource.None, null);
        }
    }

    /// <summary>It is known which request led to a call, or that it will not be known.</summary>
    /// <param name="pending">The call; it is used again for others.</param>
    /// <param name="parent">The request; null when it has no parent.</param>
    /// <param name="source">How it was found.</param>
    /// <param name="follower">For which request the call speaks to those before it.</param>
    public void Settle(PendingCall pending, Exchange? parent, ParentSource source, Exchange? follower)
    {
        _ = pending.In?.Remove(pending);
        pending.In = null;
        if (!pending.IsForward && pending.Thread.Waiting.Count == 0)
        {
            _ = pending.Thread.Process.Waiting.Remove(pending.Thread);
        }

        SettleForward(pending.Chain, follower);
        var context = pending.Context;
        if (parent is null)
        {
            ids.Begin(ref context);
        }
        else
        {
            context.Follow(in parent.Context, source);
            parent.Links.HasLedTo = true;
        }

        if (pending.Exchange is { } open)
        {
            open.Context = context;
            open.Links.Pending = null;
            open.Links.Parent = new RequestRef(parent);
        }
        else
        {
            texts -= pending.TextLength;
            Snapshot.Add(ref held, -1);
            next.OnSpan(pending.Span with { Context = context });
        }

        count--;
        pending.Clear();
        spare.Push(pending);
    }

    /// <summary>Settles what has waited too long, or everything.</summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    public void Tick(long now)
    {
        while (limits.TryPeek(out var first) && (first.Until <= now || first.Call.Serial != first.Serial))
        {
            _ = limits.Dequeue();
            if (first.Call.Serial == first.Serial)
            {
                if (!first.Call.IsForward)
                {
                    first.Call.Thread.Learn(hasResponded: false);
                }

                Settle(first.Call, null, ParentSource.None, null);
            }
        }
    }
}
