namespace Beyla.Agent.Capabilities;

/// <summary>A configuration as a deployment can carry it.</summary>
/// <param name="Variables">Environment variables, name and value; no value has a control character.</param>
/// <param name="Elsewhere">Settings that no variable can carry (lists of selectors, secrets), by their path in the configuration
/// file.</param>
public sealed record DeploymentSettings(IReadOnlyList<(string Name, string Value)> Variables, IReadOnlyList<string> Elsewhere)
{
    /// <summary>Nothing is set.</summary>
    public static DeploymentSettings None { get; } = new([], []);

    /// <summary>The settings of an example scenario.</summary>
    public static DeploymentSettings Of(Scenario scenario)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        return new(
            [.. scenario.Settings.Split(' ')
                .Select(static setting => setting.Split('=', 2))
                .Select(static pair => (pair[0], pair[1]))],
            []);
    }
}
