using Beyla.Agent.Configuration;

namespace Beyla.Agent.Metrics;

/// <summary>The limits of what is remembered.</summary>
public sealed record MetricStoreOptions
{
    /// <summary>Series of one metric; what is beyond goes into one (OpenTelemetry specification, "Cardinality limits": 2000).</summary>
    public int Cardinality { get; init; } = 2000;

    /// <summary>Service instances; what is beyond counts as above (<c>prometheus_export.service_cache_size</c>).</summary>
    public int Resources { get; init; } = 10_000;

    /// <summary>
    /// A series is given up when it had no news for so long and its process is over, the agent is its owner, or another needs its room.
    /// Zero is never (<c>prometheus_export.ttl</c>).
    /// </summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether a series without news is given up also while its process lives and there is room: somebody asked for it.</summary>
    public bool ExpiresOfLiving { get; init; }

    /// <summary>The least time that the series of a process stay when it is over, so that they are read once more.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Whether there is a page on which they are read: its histograms have bounds.</summary>
    public bool IsRead { get; init; } = true;

    /// <summary>Whether they are sent from time to time: what is over is then sent once more before it goes.</summary>
    public bool IsSent { get; init; }

    /// <summary>Which attributes metrics have.</summary>
    public AttributeSelection Attributes { get; init; } = AttributeSelection.None;

    /// <summary>Which measurements of histograms are kept as exemplars.</summary>
    public ExemplarFilter Exemplars { get; init; } = ExemplarFilter.TraceBased;

    /// <summary>The exponential buckets of histograms; null where nobody asked for those.</summary>
    public ExponentialHistograms? Exponential { get; init; }
}
