namespace Beyla.Agent.Capabilities;

/// <summary>The tracers of the documentation's internal reference.</summary>
internal enum Tracer
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
}

/// <summary>The tracers by name.</summary>
internal static class TracerNames
{
    /// <summary>The name in the documentation.</summary>
    public static string Name(this Tracer tracer) => tracer switch
    {
        Tracer.Every => "Every tracer",
        Tracer.SocketFlows => "Socket flow fetcher",
        Tracer.TrafficControlFlows => "Flow fetcher (tc)",
        Tracer.Watcher => "Watcher",
        Tracer.Languages => "Support for languages other than Go",
        Tracer.Propagation => "Network monitoring in TC mode and context propagation",
        Tracer.Go => "Go tracer",
        Tracer.BpfMetrics => "eBPF metrics exporter",
        _ => tracer.ToString(),
    };
}
