namespace Beyla.Agent.Metrics;

/// <summary>What a metric tells (OpenTelemetry specification, "Metrics Data Model").</summary>
public enum MetricKind : byte
{
    /// <summary>A sum that only rises, cumulative.</summary>
    Counter,

    /// <summary>A value of this moment.</summary>
    Gauge,

    /// <summary>A value of this moment that can be added up over resources: bytes, threads.</summary>
    UpDownCounter,

    /// <summary>How many measurements fell between fixed bounds, cumulative.</summary>
    Histogram,
}
