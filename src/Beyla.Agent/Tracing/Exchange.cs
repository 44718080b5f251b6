using Beyla.Agent.Spans;
using Beyla.Agent.Tracing.Parents;

namespace Beyla.Agent.Tracing;

/// <summary>
/// One request and what is known of its response, from its first byte to the span. A protocol adds what it needs in a class of its own.
/// Objects are used again: <see cref="ExchangeLedger{T}"/> makes them and takes them back.
/// </summary>
public abstract class Exchange
{
    /// <summary>Neighbours in the order of <see cref="Start"/>, while a time limit runs.</summary>
    internal Exchange? Earlier, Later;

    /// <summary>A time limit runs: the exchange is in the list of those.</summary>
    internal bool IsTimed;

    /// <summary>The conversation, needed when the time limit is over.</summary>
    internal Conversation? Owner;

    /// <summary>What it is among requests and calls.</summary>
    internal ParentLinks Links;

    private ExchangeText text;
    private TraceContext context;

    /// <summary>
    /// What the protocol tells a response by, where those come in another order than the requests (<see cref="ExchangeQueue{T}.Find"/>).
    /// </summary>
    public long Id { get; set; }

    /// <summary>Requests that followed this one and had no room; their responses have to be passed over.</summary>
    public int Overflow { get; internal set; }

    /// <summary>The next request on the same connection, in an <see cref="ExchangeQueue{T}"/>; or null.</summary>
    public Exchange? Next { get; internal set; }

    /// <summary>First byte of the request; CLOCK_MONOTONIC in nanoseconds, as all times here.</summary>
    public long Start { get; set; }

    /// <summary>End of the head of the request: the handler could work from here; 0 while it is not there.</summary>
    public long HandlerStart { get; set; }

    /// <summary>The last byte of the response that was seen.</summary>
    public long LastSeen { get; set; }

    /// <summary>Sequence number of the first byte of the request; 0 where it is not known.</summary>
    public uint Sequence { get; set; }

    /// <summary>The process that read or wrote the request, in the initial pid namespace.</summary>
    public int Pid { get; set; }

    /// <summary>The thread that did it.</summary>
    public int Tid { get; set; }

    /// <summary>Goroutine that did it; 0 where it is not known.</summary>
    public long Goroutine { get; set; }

    /// <summary>Bytes of the response passed unseen.</summary>
    public bool HasGap { get; set; }

    /// <summary>The span was handed out or given up; only the response must still be passed over.</summary>
    public bool IsReported { get; internal set; }

    /// <summary>Its place in a trace; complete when its span is handed out.</summary>
    public ref TraceContext Context => ref context;

    /// <summary>The texts of the request that the span will show.</summary>
    public ref ExchangeText Text => ref text;

    /// <summary>Back to the state of a new object. A protocol overrides it for its own fields, and calls this one.</summary>
    /// <param name="buffers">Take the texts back.</param>
    public virtual void Clear(BufferPool buffers)
    {
        text.Release(buffers);
        Earlier = Later = Next = null;
        Owner = null;
        Links = default;
        context = default;
        Start = HandlerStart = LastSeen = 0;
        Id = 0;
        Sequence = 0;
        Goroutine = 0;
        Pid = Tid = Overflow = 0;
        IsTimed = HasGap = IsReported = false;
    }
}
