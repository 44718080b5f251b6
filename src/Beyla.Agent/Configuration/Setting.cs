using Beyla.Agent.Logging;

namespace Beyla.Agent.Configuration;

/// <summary>Where a value comes from, the weakest first: a later one wins over an earlier one.</summary>
public enum SettingSource
{
    /// <summary>The table of settings; nothing sets it.</summary>
    Default,

    /// <summary>The configuration file.</summary>
    File,

    /// <summary>An environment variable.</summary>
    Environment,

    /// <summary>An option of the command line.</summary>
    CommandLine,
}

/// <summary>Where a value comes from.</summary>
/// <param name="Source">The layer.</param>
/// <param name="Detail"><c>file:line:column</c>, the variable or the option; empty for defaults.</param>
public readonly record struct SettingOrigin(SettingSource Source, string Detail)
{
    /// <summary>
    /// The origin as messages name it: <c>default</c>, <c>beyla.yml:3:5</c>, <c>environment BEYLA_X</c>, <c>command line --x</c>.
    /// </summary>
    public override string ToString() => Source switch
    {
        SettingSource.Default => "default",
        SettingSource.File => Detail,
        SettingSource.Environment => "environment " + Detail,
        _ => "command line " + Detail,
    };
}

/// <summary>The value of one setting as it was written.</summary>
/// <param name="Key">The setting.</param>
/// <param name="Text">The value when it is one text; null when <paramref name="Node"/> is a list or a mapping.</param>
/// <param name="Node">The value in YAML, when it comes from there.</param>
/// <param name="Origin">Where it comes from.</param>
public sealed record Setting(KeyDefinition Key, string? Text, ConfigurationNode? Node, SettingOrigin Origin)
{
    /// <summary>
    /// The items of a list: those of a YAML sequence, or of a text with commas; without blanks around them, empty ones left out.
    /// </summary>
    public IEnumerable<string> Items => Text is not null
        ? Text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        : Node!.Items.Select(static item => item.Text ?? "");

    /// <summary>The value in one line, for people: escaped, shortened, secrets hidden.</summary>
    public string Shown
    {
        get
        {
            // A list or a mapping where a secret text is expected holds the secret too.
            if (Key.Secret && (Text is { Length: > 0 } || Node is not null))
            {
                return "***";
            }

            var text = Text ?? Node?.ToString() ?? "";
            text = Key.Path.EndsWith(".endpoint", StringComparison.Ordinal) ? WithoutUser(text) : text;
            return LogText.Escape(text.Length > 200 ? text[..200] + "…" : text);
        }
    }

    /// <summary>A URL without user and password.</summary>
    private static string WithoutUser(string url)
    {
        var start = url.IndexOf("://", StringComparison.Ordinal);
        start = start < 0 ? 0 : start + "://".Length;
        var end = url.LastIndexOf('@');
        return end > start ? url[..start] + "***" + url[end..] : url;
    }
}
