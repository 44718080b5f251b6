using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Tests.Configuration;

namespace Beyla.Agent.Tests.Documents;

/// <summary>
/// Makes the tables of docs/configuration.md: what settings there are from the table of keys, their defaults from a configuration that
/// nobody set.
/// </summary>
internal static class ConfigurationDocument
{
    private const string Begin = "<!-- Made from src/Beyla.Agent/Configuration/KeyTable*.cs. Do not edit from here on; "
        + "BEYLA_UPDATE_DOCS=1 dotnet test tests/Beyla.Agent.Tests --filter Document -->\n";

    private const string End = "<!-- The end of what is made. -->\n";

    private static readonly Dictionary<string, Setting> Unset = Loaded.From().Settings.ToDictionary(static setting => setting.Key.Path);

    /// <summary>The page with its tables made anew; what is written by hand stays.</summary>
    public static string Write(string page)
    {
        var begin = page.IndexOf(Begin, StringComparison.Ordinal);
        var end = page.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= 0 && end > begin, "docs/configuration.md has lost the marks of what is made");
        return page[..(begin + Begin.Length)] + Tables() + page[end..];
    }

    /// <summary>The default of a setting as the page shows it: what the agent takes when nobody sets it; empty when it has none.</summary>
    public static string Default(KeyDefinition key) => Unset[key.Path].Text ?? "";

    private static string Tables()
    {
        var text = new StringBuilder("""

            ## Keys

            These settings have an effect. A default that is empty means that nothing is set.

            """);
        Chapter(text, built: true);
        text.Append("\n## Known and not built\n\n")
            .Append("These settings of Grafana Beyla are recognised and have no effect: a value is checked, ")
            .Append("a warning says so, and why. Defaults are those of Grafana Beyla.\n");
        Chapter(text, built: false);
        return text.Append('\n').ToString();
    }

    private static void Chapter(StringBuilder text, bool built)
    {
        foreach (var section in KeyTable.Sections)
        {
            var keys = section.Read().Where(key => key.Built == built).ToList();
            if (keys.Count == 0)
            {
                continue;
            }

            text.Append($"\n### {section.Title}{(built ? "" : ", not built")}\n\n");
            text.Append($"| Key | Environment variable | Value | Default | What it does |{(built ? "" : " Why not here |")}\n")
                .Append($"|---|---|---|---|---|{(built ? "" : "---|")}\n");
            foreach (var key in keys)
            {
                text.Append($"| `{key.Path}` | {Code(key.Variables)} | {Value(key)} | {Code(Default(key))} | {key.Description} |")
                    .Append(built ? "\n" : $" {key.Reason} |\n");
            }
        }
    }

    /// <summary>What may be set, in the words of the page's chapter about values.</summary>
    private static string Value(KeyDefinition key) => key.Type switch
    {
        SettingType.Text => "text",
        SettingType.Boolean => "true or false",
        SettingType.Integer => "whole number" + Limits(key),
        SettingType.Number => "number",
        SettingType.Duration => key.Positive ? "duration above 0" : "duration",
        SettingType.Choice => Code(key.Choices),
        SettingType.List => "list",
        SettingType.Ports => "ports",
        SettingType.Pids => "process ids",
        SettingType.Glob => "glob",
        SettingType.Regex => "regular expression",
        SettingType.Selectors => "rules",
        SettingType.Networks => "CIDR blocks",
        SettingType.Names => "interfaces",
        SettingType.Protocols => "protocols",
        SettingType.Address => "IP address",
        SettingType.Interface => "`external`, `local`, `name:INTERFACE`",
        SettingType.Any => "YAML",
        _ => throw new ArgumentOutOfRangeException(nameof(key), key.Type, "The page has no word for this type of value."),
    };

    private static string Limits(KeyDefinition key) => key switch
    {
        { Minimum: int.MinValue } => "",
        { Maximum: int.MaxValue } => $" from {key.Minimum}",
        _ => $", {key.Minimum} to {key.Maximum}",
    };

    private static string Code(string text) => text.Length == 0 ? "" : $"`{text}`";

    private static string Code(IEnumerable<string> texts) => string.Join(", ", texts.Select(Code));
}
