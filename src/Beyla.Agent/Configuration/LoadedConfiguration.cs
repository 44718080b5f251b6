namespace Beyla.Agent.Configuration;

/// <summary>The outcome of loading: every value with its origin, and what is to be said about it.</summary>
public sealed class LoadedConfiguration
{
    private readonly AgentConfiguration configuration;

    /// <summary>
    /// Keeps what the loader found; <paramref name="startProblems"/> are looked for only where there are no <paramref name="problems"/>.
    /// </summary>
    internal LoadedConfiguration(
        AgentConfiguration configuration, IReadOnlyList<Setting> settings, IReadOnlyList<string> warnings,
        IReadOnlyList<string> problems, IReadOnlyList<string> startProblems)
    {
        this.configuration = configuration;
        (Settings, Warnings, Problems, StartProblems) = (settings, warnings, problems, startProblems);
    }

    /// <summary>The effective value of every setting, defaults included, in the order of their paths.</summary>
    public IReadOnlyList<Setting> Settings { get; }

    /// <summary>What has no effect: unknown names, settings of features that are not built, settings that others overrule.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The text of the configuration file; null where none was named, or it could not be read.</summary>
    public string? FileText { get; internal init; }

    /// <summary>Values that cannot be used.</summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>
    /// Why the agent cannot start with valid values: nothing is selected, or the results would go nowhere. Empty where there are
    /// <see cref="Problems"/>.
    /// </summary>
    public IReadOnlyList<string> StartProblems { get; }

    /// <summary>The typed configuration, also where the agent could not start with it.</summary>
    /// <exception cref="ConfigurationException">A value cannot be used; has all <see cref="Problems"/>.</exception>
    public AgentConfiguration Configuration => Problems.Count == 0 ? configuration : throw new ConfigurationException(Problems);

    /// <summary>The typed configuration to start with.</summary>
    /// <exception cref="ConfigurationException">The agent cannot start; has all <see cref="Problems"/> or else all
    /// <see cref="StartProblems"/>.</exception>
    public AgentConfiguration ConfigurationToStart =>
        StartProblems.Count == 0
            ? Configuration
            : throw new ConfigurationException(StartProblems);
}
