using Beyla.Agent.Spans;

namespace Beyla.Agent.Tracing.Parents;

/// <summary>A call of which it is not known yet which request led to it. Objects are used again.</summary>
internal sealed class PendingCall
{
    private readonly SpanValues values = new();
    private SpanData span;

    /// <summary>Changes when the object is used again.</summary>
    public uint Serial { get; private set; }

    /// <summary>The call as long as it is open; null when its span is held.</summary>
    public Exchange? Exchange { get; private set; }

    /// <summary>The thread that made it.</summary>
    public TracedThread Thread { get; private set; } = null!;

    /// <summary>First byte of the request; CLOCK_MONOTONIC in nanoseconds.</summary>
    public long Start { get; private set; }

    /// <summary>The request that what the thread did before speaks for; of a call that waits for a response, none.</summary>
    public RequestRef Candidate { get; private set; }

    /// <summary>Whether what the thread does after the response decides.</summary>
    public bool IsForward { get; private set; }

    /// <summary>The list that it is in, or null.</summary>
    public List<PendingCall>? In { get; set; }

    /// <summary>Calls before it, of which it is the operation that followed: its parent is what speaks for theirs.</summary>
    public List<PendingCall> Chain { get; } = [];

    /// <summary>Identity that the span will have.</summary>
    public TraceContext Context { get; private set; }

    /// <summary>Bytes of the texts of the span that is held.</summary>
    public int TextLength => values.TextLength;

    /// <summary>The span that is held.</summary>
    public SpanData Span => span;

    /// <summary>Ready for a call.</summary>
    public void Begin(Exchange call, TracedThread thread, in RequestRef candidate, bool isForward)
    {
        (Exchange, Thread, Candidate, IsForward) = (call, thread, candidate, isForward);
        Start = call.Start;
        Context = call.Context;
    }

    /// <summary>The call is over before its parent is known: its span is kept.</summary>
    public void Hold(in SpanData finished)
    {
        values.CopyFrom(finished.Values);
        span = finished with { Values = values };
        Exchange = null;
    }

    /// <summary>Holds nothing any more.</summary>
    public void Clear()
    {
        Serial++;
        values.Clear();
        span = default;
        Exchange = null;
        Thread = null!;
        Candidate = default;
        In = null;
        Chain.Clear();
    }
}
