namespace Beyla.Agent.Capabilities;

/// <summary>The tracers of the documentation's internal reference.</summary>
internal enum DocumentedTracer
{
    /// <summary>What all of them share.</summary>
    Every,
    SocketFlows,
    TrafficControlFlows,
    Watcher,
    Languages,
    Propagation,
    Go,
    BpfMetrics,
    TcpStatistics,
}

/// <summary>The tracers by name.</summary>
internal static class TracerNames
{
    /// <summary>The name in the documentation.</summary>
    public static string Name(this DocumentedTracer tracer) => tracer switch
    {
        DocumentedTracer.Every => "Every tracer",
        DocumentedTracer.SocketFlows => "Socket flow fetcher",
        DocumentedTracer.TrafficControlFlows => "Flow fetcher (tc)",
        DocumentedTracer.Watcher => "Watcher",
        DocumentedTracer.Languages => "Support for languages other than Go",
        DocumentedTracer.Propagation => "Network monitoring in TC mode and context propagation",
        DocumentedTracer.Go => "Go tracer",
        DocumentedTracer.BpfMetrics => "eBPF metrics exporter",
        DocumentedTracer.TcpStatistics => "TCP statistics",
        _ => tracer.ToString(),
    };
}
