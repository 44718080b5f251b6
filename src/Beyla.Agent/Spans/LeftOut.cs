namespace Beyla.Agent.Spans;

/// <summary>What is not exported of a process that sends OpenTelemetry data itself.</summary>
[Flags]
public enum LeftOut : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Its spans.</summary>
    Traces = 1,

    /// <summary>The metrics of the conventions: durations of its requests.</summary>
    Metrics = 2,

    /// <summary>The metrics that are made of spans whatever their protocol, and the service graph.</summary>
    SpanMetrics = 4,
}
