using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>What becomes the route of a path that no pattern fits (<c>routes.unmatched</c>).</summary>
public enum UnmatchedRoute : byte
{
    /// <summary>Guessed from the path, and bounded per service.</summary>
    LowCardinality,

    /// <summary>Guessed from the path alone.</summary>
    Heuristic,

    /// <summary>No route.</summary>
    Unset,

    /// <summary>The path itself: as many routes as paths.</summary>
    Path,

    /// <summary><c>/**</c> for all.</summary>
    Wildcard,
}

/// <summary>From what the requests of ignored routes are left out (<c>routes.ignore_mode</c>).</summary>
[Flags]
public enum IgnoredSignals : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Metrics.</summary>
    Metrics = 1,

    /// <summary>Traces, and printers, which print them.</summary>
    Traces = 2,

    /// <summary>Both.</summary>
    All = Metrics | Traces,
}

/// <summary>Routes of requests (<c>routes.*</c>).</summary>
public sealed record RoutesConfiguration
{
    /// <summary>Whether any of the settings was set: then the printers show routes too.</summary>
    public bool IsConfigured { get; init; }

    /// <summary>The patterns that are routes.</summary>
    public IReadOnlyList<string> Patterns { get; init; } = [];

    /// <summary>The patterns whose requests are not reported.</summary>
    public IReadOnlyList<string> IgnoredPatterns { get; init; } = [];

    /// <summary>Where they are not.</summary>
    public IgnoredSignals Ignored { get; init; } = IgnoredSignals.All;

    /// <summary>What becomes of other paths.</summary>
    public UnmatchedRoute Unmatched { get; init; }

    /// <summary>What stands for a variable part.</summary>
    public byte Wildcard { get; init; } = (byte)'*';

    /// <summary>Different values at one place of a path, per service; 0 for no limit.</summary>
    public int MaximumSegmentValues { get; init; } = 10;
}

/// <summary>How telemetry is shaped before it leaves: routes, samplers, names. Immutable.</summary>
public sealed record ShapingConfiguration
{
    /// <summary>Routes of requests.</summary>
    public RoutesConfiguration Routes { get; init; } = new();

    /// <summary>Which traces are exported.</summary>
    public SamplerConfiguration Sampler { get; init; } = SamplerConfiguration.Default;

    /// <summary>Which attributes metrics and exported spans have.</summary>
    public AttributeSelection Attributes { get; init; } = AttributeSelection.None;

    /// <summary>What spans must be to be printed, exported or counted in metrics: all of these; empty for no condition.</summary>
    public IReadOnlyList<AttributeCondition> Filter { get; init; } = [];

    /// <summary>Span names of a service that metrics tell apart; 0 or less is no limit.</summary>
    public int MetricSpanNames { get; init; } = 100;

    /// <summary>
    /// Whether what a process sends by OTLP itself is not exported: traces where it sends traces, metrics of the conventions where it
    /// sends metrics.
    /// </summary>
    public bool ExcludesInstrumented { get; init; } = true;

    /// <summary>Whether a process that sends traces itself is in no span metrics and in no service graph.</summary>
    public bool ExcludesInstrumentedOfSpanMetrics { get; init; }

    /// <summary>host.id, where it is not that of the host; empty for that.</summary>
    public string HostId { get; init; } = "";

    /// <summary>host.name, where it is not that of the host; empty for that.</summary>
    public string HostName { get; init; } = "";

    /// <summary>
    /// OTEL_RESOURCE_ATTRIBUTES of the agent itself: hold for every application where the application does not say otherwise.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, string>> ResourceAttributes { get; init; } = [];
}
