namespace Beyla.Agent.Capabilities;

/// <summary>
/// Writes what a deployment needs to give the agent exactly its capabilities: a systemd unit, a Kubernetes DaemonSet, a docker command.
/// </summary>
public static class CapabilityExport
{
    /// <summary>The formats by name.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["systemd", "kubernetes", "docker"];

    /// <summary>Writes one format.</summary>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="request">The configuration.</param>
    /// <param name="set">The capabilities to give.</param>
    /// <param name="settings">The configuration as variables.</param>
    /// <param name="agent">The path of the agent on the target.</param>
    /// <param name="image">The container image.</param>
    /// <exception cref="ArgumentException">No such format.</exception>
    public static string Write(
        string format, CapabilityRequest request, CapabilitySet set,
        DeploymentSettings settings, string agent, string image) => format switch
    {
        "systemd" => SystemdUnit.Write(request, set, settings, agent),
        "kubernetes" => KubernetesManifest.Write(request, set, settings, image),
        "docker" => Docker(request, set, settings, image),
        _ => throw new ArgumentException($"no format '{format}'", nameof(format)),
    };

    private static string Docker(CapabilityRequest request, CapabilitySet set, DeploymentSettings settings, string image)
    {
        var words = new List<string> { "docker run --rm --name beyla --pid host" };
        if (UsesNetwork(request))
        {
            words.Add("--network host");
        }

        words.Add("--user 0:0 --read-only --security-opt no-new-privileges --security-opt apparmor=unconfined");
        words.Add("--cap-drop ALL " + string.Join(' ', set.Members().Select(capability => "--cap-add " + ContainerName(capability))));
        words.AddRange(settings.Variables.Select(variable => "--env " + ShellText.Quote($"{variable.Name}={variable.Value}")));
        words.Add(ShellText.Quote(image));
        return $"# {Purpose(request, settings)}\n{string.Join(" \\\n  ", words)}\n";
    }

    /// <summary>One line that says what the capabilities are for, and which settings have to be set elsewhere.</summary>
    internal static string Purpose(CapabilityRequest request, DeploymentSettings settings) =>
        $"Capabilities for: {string.Join(", ", request.Describe())}. Made by beyla capability export."
        + (settings.Elsewhere.Count == 0
            ? ""
            : $" To be set in a file named by BEYLA_CONFIG_PATH: {string.Join(", ", settings.Elsewhere)}.");

    /// <summary>Whether flows are asked for, from either source.</summary>
    internal static bool UsesNetwork(CapabilityRequest request) =>
        (request.Features & (Feature.NetworkSocketFilter | Feature.NetworkTrafficControl)) != 0;

    /// <summary>The name as container runtimes and Kubernetes spell it: without <c>CAP_</c>.</summary>
    internal static string ContainerName(Capability capability) => capability.Name()["CAP_".Length..];
}
