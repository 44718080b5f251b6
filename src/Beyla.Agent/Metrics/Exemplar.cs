using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>One measurement of a bucket, with the span in which it was made (OpenTelemetry specification, "Exemplars").</summary>
public struct Exemplar
{
    /// <summary>First eight bytes of the identity of the trace.</summary>
    public ulong TraceHigh { get; private set; }

    /// <summary>Last eight bytes of the identity of the trace.</summary>
    public ulong TraceLow { get; private set; }

    /// <summary>The span.</summary>
    public ulong SpanId { get; private set; }

    /// <summary>What was measured, as <see cref="Series.Sum"/>.</summary>
    public long Measured { get; private set; }

    /// <summary>Microseconds since 1970 (UTC).</summary>
    public long Time { get; private set; }

    /// <summary>Whether there is one.</summary>
    public readonly bool Exists => (TraceHigh | TraceLow) != 0;

    /// <summary>Keeps the last one.</summary>
    internal void Set(in TraceContext context, long measured, long time) =>
        (TraceHigh, TraceLow, SpanId, Measured, Time) = (context.TraceHigh, context.TraceLow, context.SpanId, measured, time);
}
