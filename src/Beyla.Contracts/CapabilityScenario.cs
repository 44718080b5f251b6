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
