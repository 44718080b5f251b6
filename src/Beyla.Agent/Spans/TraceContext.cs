namespace Beyla.Agent.Spans;

/// <summary>
/// Where a span stands: its trace, itself, and the span that led to it (W3C Trace Context, https://www.w3.org/TR/trace-context-2/).
/// Identities are kept as numbers, most significant byte first; 0 is none.
/// </summary>
public struct TraceContext
{
    /// <summary>The flag <c>sampled</c> (section 3.2.2.5.1).</summary>
    public const byte Sampled = 1;

    /// <summary>First eight bytes of the identity of the trace.</summary>
    public ulong TraceHigh { get; set; }

    /// <summary>Last eight bytes of the identity of the trace.</summary>
    public ulong TraceLow { get; set; }

    /// <summary>Identity of the span.</summary>
    public ulong SpanId { get; set; }

    /// <summary>Identity of the span that led to it; 0 when there is none, or it is not known.</summary>
    public ulong ParentId { get; set; }

    /// <summary>How the parent was found.</summary>
    public ParentSource Source { get; set; }

    /// <summary>The flags of the trace.</summary>
    public byte Flags { get; set; }

    /// <summary>Whether there is a trace.</summary>
    public readonly bool HasTrace => (TraceHigh | TraceLow) != 0;

    /// <summary>Whether both are part of one trace.</summary>
    public readonly bool IsSameTrace(in TraceContext other) => TraceHigh == other.TraceHigh && TraceLow == other.TraceLow;

    /// <summary>Takes the trace of another span, which led to this one.</summary>
    public void Follow(in TraceContext parent, ParentSource source)
    {
        (TraceHigh, TraceLow, Flags) = (parent.TraceHigh, parent.TraceLow, parent.Flags);
        (ParentId, Source) = (parent.SpanId, source);
    }
}
