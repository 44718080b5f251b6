namespace Beyla.Agent.Metrics;

/// <summary>What a metric is.</summary>
public sealed record MetricDefinition
{
    /// <summary>OpenTelemetry name.</summary>
    public required string Name { get; init; }

    /// <summary>UCUM unit: <c>s</c>, <c>By</c>, <c>{packet}</c>; empty for none.</summary>
    public string Unit { get; init; } = "";

    /// <summary>What it tells, in one sentence.</summary>
    public required string Description { get; init; }

    /// <summary>What it tells, for programs.</summary>
    public required MetricKind Kind { get; init; }

    /// <summary>
    /// Measured units in one of the metric, where it is no histogram: 1,000,000 where seconds are measured in microseconds.
    /// </summary>
    public long Scale { get; init; } = 1;

    /// <summary>The bounds of a histogram.</summary>
    public Buckets? Buckets { get; init; }

    /// <summary>What tells its series apart, besides the resource; those that are opt-in come last.</summary>
    public required IReadOnlyList<MetricAttribute> Attributes { get; init; }

    /// <summary>
    /// The name on a page of Prometheus, without <c>_total</c>, where it does not follow from the others: those of Grafana Beyla.
    /// </summary>
    public string? PrometheusName { get; init; }

    /// <summary>
    /// Whether its value is read from somewhere, and not made of what happens one by one: an asynchronous instrument (OpenTelemetry
    /// specification, "Metrics API").
    /// </summary>
    public bool IsObserved { get; init; }

    /// <summary>Whether <c>attributes.select</c> changes its attributes.</summary>
    public bool IsSelectable { get; init; }

    /// <summary>Whether its series stay without news: they tell something that does not change.</summary>
    public bool IsLasting { get; init; }
}
