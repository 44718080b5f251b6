using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>Metrics that are made of spans. Called under the lock of the store, on the one thread of exports; does not allocate.</summary>
internal interface ISpanMetrics
{
    /// <summary>Counts one span.</summary>
    /// <param name="span">Valid only during the call.</param>
    /// <param name="service">The service of its process.</param>
    /// <param name="resource">The same to the store.</param>
    /// <param name="host">
    /// The other side by name: what the request of a client asks for, else what a resolver says; empty where neither does.
    /// </param>
    void OnSpan(in ExportedSpan span, ServiceResource service, MetricResource resource, in HostName host);
}
