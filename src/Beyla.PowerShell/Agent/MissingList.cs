namespace Beyla.PowerShell.Agent;

/// <summary>
/// Holds back the agent's warning that names the documented capabilities which are missing, until it is known whether one of them is
/// needed: an agent that was given the needed ones alone, on purpose, works as it should, and a warning at each start would only teach
/// to pass over warnings.
/// </summary>
public sealed class MissingList
{
    private LogLine? held;

    /// <summary>Takes a line of the log.</summary>
    /// <param name="line">The line.</param>
    /// <param name="warn">Gets the list before <paramref name="line"/>, when a needed one is missing.</param>
    /// <param name="verbose">Gets the list when none is needed.</param>
    /// <returns>Whether the line was held back.</returns>
    public bool Hold(LogLine line, Action<LogLine> warn, Action<string> verbose)
    {
        ArgumentNullException.ThrowIfNull(line);
        if (line.Level == LogLevel.Warn && line.Error.Contains(AgentWords.Required, StringComparison.Ordinal))
        {
            End(verbose);
            held = line;
            return true;
        }

        if (held is not null && AgentWords.IsMissing(line) && line.Level == LogLevel.Warn)
        {
            var list = held;
            held = null;
            warn(list);
        }
        else if (held is not null && !AgentWords.IsMissing(line))
        {
            End(verbose);
        }

        return false;
    }

    /// <summary>Nothing more follows.</summary>
    public void End(Action<string> verbose)
    {
        if (held is { } list)
        {
            verbose(
                $"The documentation lists capabilities that this agent does not need for what was asked, "
                + $"and does not have ({list.Error}).");
        }

        held = null;
    }
}
