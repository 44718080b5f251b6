namespace Beyla.Agent.Capabilities;

/// <summary>An example scenario of the documentation.</summary>
/// <param name="Name">The name for <c>--scenario</c>.</param>
/// <param name="Title">The title in the documentation.</param>
/// <param name="Features">What is on in it.</param>
/// <param name="Settings">Environment variables that ask for it.</param>
public sealed record Scenario(string Name, string Title, Feature Features, string Settings)
{
    /// <summary>Every scenario, in the documentation's order.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("network", "Network metrics via a socket filter", Feature.NetworkSocketFilter,
            "BEYLA_NETWORK_METRICS=1 BEYLA_NETWORK_PRINT_FLOWS=1"),
        new("network-tc", "Network metrics via traffic control", Feature.NetworkTrafficControl,
            "BEYLA_NETWORK_METRICS=1 BEYLA_NETWORK_PRINT_FLOWS=1 BEYLA_NETWORK_SOURCE=tc"),
        new("application", "Application observability", Feature.Application, "BEYLA_OPEN_PORT=8080 BEYLA_TRACE_PRINTER=text"),
        new("application-propagation", "Application observability with trace context propagation",
            Feature.Application | Feature.ContextPropagation,
            "BEYLA_BPF_ENABLE_CONTEXT_PROPAGATION=1 BEYLA_OPEN_PORT=8080 BEYLA_TRACE_PRINTER=text"),
    ];

    /// <summary>The scenario of that name; null for none.</summary>
    public static Scenario? Find(string name) =>
        All.FirstOrDefault(scenario => string.Equals(scenario.Name, name, StringComparison.OrdinalIgnoreCase));
}
