namespace Beyla.PowerShell.Parameters;

/// <summary>Spells scenarios and sources as the agent reads them.</summary>
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
