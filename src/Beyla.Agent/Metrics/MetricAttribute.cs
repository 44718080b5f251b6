namespace Beyla.Agent.Metrics;

/// <summary>An attribute that tells the series of a metric apart.</summary>
/// <param name="Name">OpenTelemetry name, or the one of Grafana Beyla where that is matched on purpose.</param>
/// <param name="IsNumber">Whether its value is a whole number; a page of text shows no difference.</param>
/// <param name="IsOptIn">Whether it is there only where <c>attributes.select</c> includes it.</param>
public readonly record struct MetricAttribute(string Name, bool IsNumber = false, bool IsOptIn = false)
{
    /// <summary>A text.</summary>
    public static implicit operator MetricAttribute(string name) => new(name);

    /// <summary>As the operator.</summary>
    public static MetricAttribute FromString(string name) => new(name);
}
