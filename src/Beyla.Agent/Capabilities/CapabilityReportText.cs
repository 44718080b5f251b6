using System.Globalization;

namespace Beyla.Agent.Capabilities;

/// <summary>A report for people.</summary>
internal static class CapabilityReportText
{
    /// <summary>Writes the report as a table and what follows from it, for people.</summary>
    internal static void Write(CapabilityReport report, TextWriter output)
    {
        output.WriteLine($"for {string.Join(", ", report.Configuration)}, by {Printable(report.Agent)}");
        output.WriteLine();
        Line(output, "CAPABILITY", "STATE", "LISTED", "NEEDED");
        foreach (var requirement in report.Requirements)
        {
            Write(requirement, output);
        }

        output.WriteLine();
        Line(output, "HOST", "VERDICT", "VALUE", "");
        foreach (var setting in report.Host)
        {
            Line(output, setting.Name, Lower(setting.Verdict), Printable(setting.Value), "");
            if (setting.Verdict != HostVerdict.Good)
            {
                Detail(output, "", setting.Meaning);
            }

            foreach (var fix in setting.Fix)
            {
                Detail(output, "fix", fix);
            }
        }

        if (report.Probes.Count > 0)
        {
            output.WriteLine();
            Line(output, "PROBE", "", "", "");
            foreach (var probe in report.Probes)
            {
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Lower(probe.Answer),-8}{Printable(probe.Operation)} {probe.Error} {Printable(probe.Evidence)}").TrimEnd());
            }
        }

        output.WriteLine();
        output.WriteLine(Summary(report));
    }

    private static void Write(CapabilityRequirement requirement, TextWriter output)
    {
        var state = requirement.GrantedBy is { } by ? $"granted by {by.Name()}" : Words(requirement.State);
        Line(output, requirement.Capability.Name(), state, requirement.Documented ? "yes" : "no", Words(requirement.Need));
        if (requirement.State == CapabilityState.NotRequired)
        {
            return;
        }

        Detail(output, "for", requirement.Reason);
        Detail(output, "without it", requirement.WithoutIt);
        Detail(output, "evidence", requirement.Evidence);
        Detail(output, "fix", requirement.Fix);
    }

    private static string Summary(CapabilityReport report)
    {
        var missing = report.Requirements.Where(requirement => requirement.Needed && requirement.State == CapabilityState.Missing).ToList();
        var listed = report.MissingDocumented().Select(capability => capability.Name()).ToList();
        return (missing.Count, listed.Count) switch
        {
            (0, 0) => "All capabilities are there.",
            (0, _) => $"All that is needed is there. Listed, and not needed by this agent: {string.Join(", ", listed)}.",
            _ => $"Missing and needed: {string.Join(", ", missing.Select(requirement => requirement.Capability.Name()))}.",
        };
    }

    private static void Line(TextWriter output, string first, string second, string third, string fourth) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{first,-34}{second,-24}{third,-8}{fourth}").TrimEnd());

    private static void Detail(TextWriter output, string name, string text)
    {
        if (text.Length > 0)
        {
            output.WriteLine(name.Length == 0 ? $"  {Printable(text)}" : $"  {name}: {Printable(text)}");
        }
    }

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string Words(CapabilityState state) => state switch
    {
        CapabilityState.NotRequired => "not required",
        _ => Lower(state),
    };

    private static string Words(CapabilityNeed need) => need switch
    {
        CapabilityNeed.Required => "yes",
        CapabilityNeed.Optional => "optional",
        _ => "no",
    };

    // Paths and kernel texts may carry control characters, which a terminal would obey.
    private static string Printable(string text) => string.Concat(text.Select(character => char.IsControl(character) ? '?' : character));
}
