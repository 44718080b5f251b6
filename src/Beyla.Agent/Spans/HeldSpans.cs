using System.Diagnostics;

namespace Beyla.Agent.Spans;

/// <summary>Takes a span that waited. It is valid only during the call.</summary>
internal delegate void HeldSpanVisitor<in TState>(in SpanData span, TState state);

/// <summary>
/// Spans whose process is being looked at, in order. Room and time are bounded, and no process can take the room of all others: one
/// that cannot be looked at in time gets its spans with what is known of it.
/// </summary>
internal sealed class HeldSpans
{
    /// <summary>Bytes of all spans, and of those of one process. A span counts with its texts and <see cref="Overhead"/>.</summary>
    internal const int MaximumBytes = 8 * 1024 * 1024, MaximumBytesOfOne = 1024 * 1024;

    /// <summary>What a span takes besides its texts: about 250 bytes, and the table of its values.</summary>
    internal const int Overhead = 768;

    /// <summary>The first span of a process waits no longer. A look that does not come back is given up before.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    private readonly Dictionary<int, Waiting> processes = [];
    private int bytes;
    private int spans;

    /// <summary>Spans that wait. Any thread.</summary>
    public int Spans => Volatile.Read(ref spans);

    /// <summary>Processes whose spans wait.</summary>
    public int Count => processes.Count;

    /// <summary>False when there is no room.</summary>
    public bool TryAdd(in SpanData span)
    {
        var size = Overhead + span.Values.TextLength;
        if (!processes.TryGetValue(span.Pid, out var waiting))
        {
            waiting = new Waiting(Stopwatch.GetTimestamp());
        }

        if (bytes + size > MaximumBytes || waiting.Bytes + size > MaximumBytesOfOne)
        {
            return false;
        }

        processes[span.Pid] = waiting;
        waiting.Spans.Enqueue(span with { Values = span.Values.Copy() });
        (bytes, waiting.Bytes) = (bytes + size, waiting.Bytes + size);
        Volatile.Write(ref spans, spans + 1);
        return true;
    }

    /// <summary>Hands on what waits for a process, in order.</summary>
    public void Take<TState>(int pid, TState state, HeldSpanVisitor<TState> visitor)
    {
        if (!processes.Remove(pid, out var waiting))
        {
            return;
        }

        bytes -= waiting.Bytes;
        foreach (var span in waiting.Spans)
        {
            Volatile.Write(ref spans, spans - 1);
            visitor(in span, state);
        }
    }

    /// <summary>A process whose spans have waited too long; any one when all are overdue.</summary>
    public bool TryFindOverdue(bool all, out int pid)
    {
        foreach (var (candidate, waiting) in processes)
        {
            pid = candidate;
            if (all || Stopwatch.GetElapsedTime(waiting.Since) > Longest)
            {
                return true;
            }
        }

        pid = 0;
        return false;
    }

    private sealed class Waiting(long since)
    {
        public readonly long Since = since;
        public readonly Queue<SpanData> Spans = [];
        public int Bytes;
    }
}
