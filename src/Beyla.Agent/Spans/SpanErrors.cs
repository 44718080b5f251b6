namespace Beyla.Agent.Spans;

/// <summary>Types of errors that no response names (error.type of the OpenTelemetry conventions: low cardinality).</summary>
public static class SpanErrors
{
    /// <summary>The type of error that an outcome is by itself; empty for those that are none. An end that was not seen is none.</summary>
    public static ReadOnlySpan<byte> Of(SpanOutcome outcome) => outcome switch
    {
        SpanOutcome.TimedOut => "timeout"u8,
        SpanOutcome.Closed => "connection_closed"u8,
        _ => default,
    };
}
