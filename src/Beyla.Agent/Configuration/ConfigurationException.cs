namespace Beyla.Agent.Configuration;

/// <summary>The configuration or the command line cannot be used. Nothing was loaded; the exit code is 2.</summary>
public sealed class ConfigurationException : Exception
{
    /// <summary>Reports a single problem, which names setting, value, origin and what is allowed.</summary>
    public ConfigurationException(string problem)
        : this([problem])
    {
    }

    /// <summary>Reports all problems at once.</summary>
    /// <param name="problems">All that is wrong: each names setting, value, origin and what is allowed.</param>
    public ConfigurationException(IReadOnlyList<string> problems)
        : base(string.Join(Environment.NewLine, problems)) => Problems = problems;

    /// <summary>All that is wrong, one line each.</summary>
    public IReadOnlyList<string> Problems { get; }
}
