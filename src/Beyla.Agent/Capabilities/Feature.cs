namespace Beyla.Agent.Capabilities;

/// <summary>What a configuration can ask for, as far as it decides about capabilities.</summary>
[Flags]
public enum Feature
{
    /// <summary>Nothing is asked for.</summary>
    None = 0,

    /// <summary>Network observability, packets by a socket filter.</summary>
    NetworkSocketFilter = 1,

    /// <summary>Network observability, packets by traffic control (tcx or clsact).</summary>
    NetworkTrafficControl = 2,

    /// <summary>Application observability.</summary>
    Application = 4,

    /// <summary>Trace context is put into outgoing requests.</summary>
    ContextPropagation = 8,

    /// <summary>Trace context is put into requests of Go programs by writing into their memory.</summary>
    GoPropagation = 16,

    /// <summary>Metrics about eBPF programs themselves.</summary>
    BpfMetrics = 32,

    /// <summary>Network observability that is of no use without the process of each flow.</summary>
    FlowProcesses = 64,

    /// <summary>Statistics of TCP connections.</summary>
    TcpStatistics = 128,
}

/// <summary>A configuration, reduced to what decides about capabilities.</summary>
/// <param name="Features">What is on.</param>
/// <param name="Enforce">BEYLA_ENFORCE_SYS_CAPS=1: a missing documented capability is an error.</param>
public readonly record struct CapabilityRequest(Feature Features, bool Enforce = false)
{
    /// <summary>What is on, in words, for reports.</summary>
    public IReadOnlyList<string> Describe() => [.. FeatureNames.All.Where(Has).Select(FeatureNames.Name)];

    /// <summary>
    /// The same for who holds these. Headers are written into Go programs only where CAP_SYS_ADMIN is there already: nobody is asked to
    /// give it for that.
    /// </summary>
    public CapabilityRequest Within(CapabilitySet held) =>
        held.Contains(Capability.SysAdmin) ? this : this with { Features = Features & ~Feature.GoPropagation };

    private bool Has(Feature feature) => (Features & feature) != 0;
}

/// <summary>The features by name.</summary>
public static class FeatureNames
{
    /// <summary>Every feature, in the order of reports.</summary>
    public static IReadOnlyList<Feature> All { get; } =
    [
        Feature.NetworkSocketFilter, Feature.NetworkTrafficControl, Feature.Application, Feature.ContextPropagation,
        Feature.GoPropagation, Feature.BpfMetrics,
        Feature.FlowProcesses, Feature.TcpStatistics,
    ];

    /// <summary>The name in reports.</summary>
    public static string Name(Feature feature) => feature switch
    {
        Feature.NetworkSocketFilter => "network (socket_filter)",
        Feature.NetworkTrafficControl => "network (tc)",
        Feature.Application => "application",
        Feature.ContextPropagation => "context propagation",
        Feature.GoPropagation => "Go library-level context propagation",
        Feature.BpfMetrics => "eBPF program metrics",
        Feature.FlowProcesses => "process of each flow required",
        Feature.TcpStatistics => "TCP statistics",
        _ => feature.ToString(),
    };
}
