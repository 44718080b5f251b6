namespace Beyla;

/// <summary>The example scenarios of the documentation.</summary>
public enum CapabilityScenario
{
    /// <summary>Network flows by a socket filter.</summary>
    Network,

    /// <summary>Network flows by traffic control.</summary>
    NetworkTrafficControl,

    /// <summary>Requests of applications.</summary>
    Application,

    /// <summary>Requests of applications, with trace context put into outgoing requests.</summary>
    ApplicationPropagation,
}

/// <summary>How network flows are captured.</summary>
public enum FlowSource
{
    /// <summary>A filter on a packet socket (CAP_BPF, CAP_NET_RAW).</summary>
    SocketFilter,

    /// <summary>Traffic control programs on each interface (CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON).</summary>
    TrafficControl,
}

internal static class Scenarios
{
    /// <summary>As <c>beyla capability --scenario</c> spells it.</summary>
    internal static string Name(CapabilityScenario scenario) => scenario switch
    {
        CapabilityScenario.Network => "network",
        CapabilityScenario.NetworkTrafficControl => "network-tc",
        CapabilityScenario.ApplicationPropagation => "application-propagation",
        _ => "application",
    };

    /// <summary>As <c>BEYLA_NETWORK_SOURCE</c> spells it.</summary>
    internal static string Name(FlowSource source) => source == FlowSource.TrafficControl ? "tc" : "socket_filter";
}
