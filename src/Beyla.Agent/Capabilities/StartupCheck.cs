namespace Beyla.Agent.Capabilities;

/// <summary>How much a line of the check at start matters.</summary>
public enum CheckSeverity
{
    /// <summary>Only of interest when looking for a cause.</summary>
    Debug,

    /// <summary>Good to know; nothing has to be done.</summary>
    Info,

    /// <summary>Something will not work.</summary>
    Warning,

    /// <summary>The agent does not start.</summary>
    Error,
}

/// <summary>A line that the check at start has to say.</summary>
/// <param name="Severity">The level.</param>
/// <param name="Message">The text.</param>
/// <param name="Fields">Names and values beside it.</param>
public sealed record CheckLine(CheckSeverity Severity, string Message, params IReadOnlyList<(string Name, string Value)> Fields);

/// <summary>What the check says when the agent starts.</summary>
public static class StartupCheck
{
    /// <summary>The exit code when capabilities are missing and BEYLA_ENFORCE_SYS_CAPS=1.</summary>
    public const int ExitCode = 3;

    /// <summary>
    /// Decides about the start. With everything documented there and the host as it should be, no line. Else first the warning that
    /// names what is missing, in ascending order of the kernel's numbers, then what will not work because of it. Where it was set
    /// minimally on purpose, nothing is amiss: what the documented list has besides is one line at level debug.
    /// </summary>
    /// <param name="report">The verdict.</param>
    /// <param name="enforce">BEYLA_ENFORCE_SYS_CAPS=1: a missing documented capability is an error.</param>
    /// <param name="lines">What to log.</param>
    /// <param name="demanded">Capabilities without which the configuration says that nothing is of use.</param>
    /// <param name="setting">The setting that says it.</param>
    /// <param name="minimal">See <see cref="CapabilityCheck.IsMinimal"/>; without meaning where the documented list is enforced.</param>
    /// <returns>Whether to start; if not, exit with <see cref="ExitCode"/> and load nothing.</returns>
    public static bool MayStart(
        CapabilityReport report, bool enforce, out IReadOnlyList<CheckLine> lines,
        CapabilitySet demanded = default, string setting = "", bool minimal = false)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (report.Requirements
            .Where(requirement => requirement.State == CapabilityState.Missing && demanded.Contains(requirement.Capability))
            .ToArray() is { Length: > 0 } lacking)
        {
            lines =
            [
                new CheckLine(
                    CheckSeverity.Error, "can't start Beyla",
                    ("error",
                        "the following capabilities are required: "
                        + string.Join(", ", lacking.Select(requirement => requirement.Capability.Name()))),
                    ("consequence", string.Join("; ", lacking.Select(requirement => requirement.WithoutIt))), ("setting", setting),
                    ("evidence", lacking[0].Evidence), ("fix", lacking[0].Fix)),
            ];
            return false;
        }

        var missing = string.Join(", ", report.MissingDocumented().Select(capability => capability.Name()));
        var refused = enforce && missing.Length > 0;
        var onPurpose = minimal && !enforce;
        var all = new List<CheckLine>();
        if (missing.Length > 0 && onPurpose)
        {
            all.Add(new CheckLine(
                CheckSeverity.Debug, "Listed for this configuration, not needed by this agent and not given to it",
                ("capabilities", missing)));
        }
        else if (missing.Length > 0)
        {
            all.Add(new CheckLine(
                refused ? CheckSeverity.Error : CheckSeverity.Warning,
                refused ? "can't start Beyla" : "Required system capabilities not present, Beyla may malfunction",
                ("error", $"the following capabilities are required: {missing}")));
        }

        all.AddRange(report.Requirements.Where(requirement => IsMissing(requirement, onPurpose)).Select(Consequence));
        all.AddRange(report.Host.Where(setting => setting.Verdict == HostVerdict.Wrong).Select(Consequence));
        lines = all;
        return !refused;
    }

    private static bool IsMissing(CapabilityRequirement requirement, bool onPurpose) =>
        requirement.State == CapabilityState.Missing && (requirement.Need != CapabilityNeed.None || (requirement.Documented && !onPurpose));

    private static CheckLine Consequence(CapabilityRequirement requirement) => new(
        requirement.Needed ? CheckSeverity.Warning : CheckSeverity.Info,
        $"{requirement.Capability.Name()} is missing",
        ("consequence", requirement.WithoutIt), ("evidence", requirement.Evidence), ("fix", requirement.Fix));

    private static CheckLine Consequence(HostSetting setting) => new(
        CheckSeverity.Warning, $"{setting.Name} stands in the way",
        ("value", setting.Value), ("consequence", setting.Meaning), ("fix", string.Join(" | ", setting.Fix)));
}
