using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Beyla.Agent.Configuration;

/// <summary>What <c>beyla config</c> prints: each setting, its effective value and where that comes from.</summary>
public static class ConfigurationReport
{
    /// <summary>The settings in three columns: key, value, source. An unset value is shown as <c>-</c>, secrets as <c>***</c>.</summary>
    /// <param name="loaded">The configuration.</param>
    /// <param name="all">Also settings that have no effect in this agent and are not set.</param>
    public static string ToText(LoadedConfiguration loaded, bool all)
    {
        var rows = Rows(loaded, all).ToList();
        var keyWidth = rows.Max(static row => row.Key.Path.Length);
        var valueWidth = Math.Min(40, rows.Max(static row => Value(row).Length));
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            var note = row.Key.Built ? "" : " (not built)";
            text.Append(row.Key.Path.PadRight(keyWidth)).Append("  ").Append(Value(row).PadRight(valueWidth))
                .Append("  ").Append(row.Origin).Append(note).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>
    /// The settings as a JSON object: <c>settings</c> (key, value, source, origin, built), <c>warnings</c>, <c>errors</c>.
    /// </summary>
    /// <param name="loaded">The configuration.</param>
    /// <param name="all">Also settings that have no effect in this agent and are not set.</param>
    /// <param name="indented">On several lines.</param>
    public static string ToJson(LoadedConfiguration loaded, bool all, bool indented = true)
    {
        var buffer = new ArrayBufferWriter<byte>(16 * 1024);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = indented }))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("settings");
            foreach (var row in Rows(loaded, all))
            {
                writer.WriteStartObject();
                writer.WriteString("key", row.Key.Path);
                writer.WriteString("value", row.Shown);
                writer.WriteString("source", row.Origin.Source switch
                {
                    SettingSource.Default => "default",
                    SettingSource.File => "file",
                    SettingSource.Environment => "environment",
                    _ => "command line",
                });
                writer.WriteString("origin", row.Origin.Detail);
                writer.WriteBoolean("built", row.Key.Built);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            Lines(writer, "warnings", loaded.Warnings);
            Lines(writer, "errors", loaded.Problems.Concat(loaded.StartProblems));
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The command <c>config</c>: prints the configuration and returns the exit code, 2 when the agent would not start.</summary>
    /// <param name="loaded">The configuration.</param>
    /// <param name="arguments">What the command line left: <c>--json</c>, <c>--all</c>.</param>
    /// <param name="output">Gets the configuration.</param>
    /// <param name="errors">Gets warnings and errors, one line each.</param>
    /// <exception cref="ConfigurationException">An argument is unknown.</exception>
    public static int Run(LoadedConfiguration loaded, IReadOnlyList<string> arguments, TextWriter output, TextWriter errors)
    {
        if (arguments.FirstOrDefault(static argument => argument is not ("--json" or "--all")) is { } unknown)
        {
            throw new ConfigurationException($"{Logging.LogText.Quote(unknown)} is unknown here, beyla config takes --json and --all");
        }

        var all = arguments.Contains("--all");
        if (arguments.Contains("--json"))
        {
            output.WriteLine(ToJson(loaded, all));
        }
        else
        {
            output.Write(ToText(loaded, all));
            foreach (var warning in loaded.Warnings)
            {
                errors.WriteLine("warning: " + warning);
            }

            foreach (var problem in loaded.Problems.Concat(loaded.StartProblems))
            {
                errors.WriteLine("error: " + problem);
            }
        }

        return loaded.Problems.Count + loaded.StartProblems.Count == 0 ? 0 : 2;
    }

    private static IEnumerable<Setting> Rows(LoadedConfiguration loaded, bool all) =>
        loaded.Settings.Where(setting => all || setting.Key.Built || setting.Origin.Source != SettingSource.Default);

    private static string Value(Setting setting) => setting.Shown is { Length: > 0 } value ? value : "-";

    private static void Lines(Utf8JsonWriter writer, string name, IEnumerable<string> lines)
    {
        writer.WriteStartArray(name);
        foreach (var line in lines)
        {
            writer.WriteStringValue(line);
        }

        writer.WriteEndArray();
    }
}
