using Beyla.Agent.Logging;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Lays the values of all sources over each other: defaults, then the file, then the environment, then the command line.
/// Collects what is unknown (warnings) and what is wrong (problems) instead of stopping at the first.
/// </summary>
internal sealed partial class SettingLayers
{
    // Of a value, and of what is said about it, which may name a part of it.
    private const int MaximumShown = 1000;

    private readonly Dictionary<string, Setting> set = new(StringComparer.Ordinal);

    /// <summary>What has no effect: unknown names, settings that are not built, settings that others overrule.</summary>
    public MessageList Warnings { get; } = new();

    /// <summary>What cannot be used: each names setting, value, origin and what is allowed.</summary>
    public MessageList Problems { get; } = new();

    /// <summary>The value of a setting; its default when nothing sets it.</summary>
    public Setting this[KeyDefinition key] =>
        set.TryGetValue(key.Path, out var setting)
            ? setting
            : new Setting(key, key.Default, null, new SettingOrigin(SettingSource.Default, ""));

    /// <summary>The text of the file of <see cref="AddFile"/>; null where none was read.</summary>
    public string? FileText { get; private set; }

    /// <summary>Reads a configuration file and adds its settings.</summary>
    public void AddFile(string path, IReadOnlyDictionary<string, string> environment, bool raisedRights)
    {
        var name = LogText.Escape(path);
        try
        {
            FileText = ConfigurationFile.Read(path, raisedRights);
            AddYaml(FileText, name, environment);
        }
        catch (ConfigurationException failure)
        {
            Problems.AddRange(failure.Problems);
        }
    }

    /// <summary>Adds the settings of a YAML text.</summary>
    /// <exception cref="ConfigurationException">The text is not valid YAML.</exception>
    public void AddYaml(string text, string origin, IReadOnlyDictionary<string, string> environment)
    {
        var substituted = VariableSubstitution.Apply(text, origin, environment, Warnings);
        if (YamlReader.Read(substituted, origin) is not { } root)
        {
            return;
        }

        if (root.Kind != ConfigurationNodeKind.Mapping)
        {
            throw new ConfigurationException($"{origin}:{root.Line}:{root.Column}: settings such as \"open_port: 8080\" are expected");
        }

        AddSection("", root, origin);
    }

    /// <summary>Adds the settings of the environment. The agent's own variables that are unknown are warned of.</summary>
    public void AddEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, value) in environment.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            var keys = KeyIndex.FindByVariable(name);
            if (keys.Count == 0)
            {
                WarnOfVariable(name, value);
            }

            var canonical = KeyIndex.Canonical(name);
            var isTold = false;
            // Those that have an effect first: a variable that sets several settings is one mistake.
            foreach (var key in keys.OrderByDescending(static key => key.Built))
            {
                // KUBECONFIG is set in many shells, for other programs. And one mistake in a standard variable is one warning.
                if (!key.Built && (name == "KUBECONFIG" || (KeyIndex.IsStandardVariable(name) && keys.Any(static other => other.Built))))
                {
                    continue;
                }

                var rank = IndexOf(key.Variables, canonical) * 3
                    + (name == canonical ? 0 : name.StartsWith(KeyIndex.Prefix, StringComparison.Ordinal) ? 1 : 2);
                if ((value.Length == 0 && !key.AllowsEmpty) || (ranks.TryGetValue(key.Path, out var best) && best < rank))
                {
                    continue;
                }

                var setting = new Setting(key, value, null, new SettingOrigin(SettingSource.Environment, name));
                if (KeyIndex.IsStandardVariable(name) && !TryStandard(ref setting, ref isTold))
                {
                    continue;
                }

                ranks[key.Path] = rank;
                set[key.Path] = setting;
            }
        }
    }

    /// <summary>
    /// Whether the value of a variable of the OpenTelemetry specification can be used; else that is warned of. Durations are there in
    /// milliseconds, and a boolean is true only in this word ("Environment Variable Specification", "Boolean value").
    /// </summary>
    private bool TryStandard(ref Setting setting, ref bool isTold)
    {
        if (setting.Key.Type == SettingType.Duration && long.TryParse(setting.Text, out var milliseconds) && milliseconds >= 0)
        {
            setting = setting with { Text = FormattableString.Invariant($"{milliseconds}ms") };
        }

        var isOdd = setting.Key.Type == SettingType.Boolean && !bool.TryParse(setting.Text, out _);
        if (setting.Text is "" || (isOdd ? "allowed are true and false" : SettingValue.Check(setting)) is not { } error)
        {
            return setting.Text is not "";
        }

        if (!isTold)
        {
            isTold = true;
            Warnings.Add(Describe(setting, error) + "; the variable has no effect");
        }

        return false;
    }

    /// <summary>Adds the settings of the command line.</summary>
    public void AddCommandLine(CommandLine commandLine)
    {
        foreach (var (path, value, option) in commandLine.Settings)
        {
            var key = KeyIndex.Get(path);
            ConfigurationNode? node = null;
            string? text = value;
            if ((key.Type == SettingType.Selectors || key is { Type: SettingType.Any, Built: true }) && value.Length > 0)
            {
                try
                {
                    (node, text) = (YamlReader.Read(value, option), null);
                }
                catch (ConfigurationException failure)
                {
                    Problems.AddRange(failure.Problems);
                    continue;
                }
            }

            set[path] = new Setting(key, node is null ? text ?? "" : null, node, new SettingOrigin(SettingSource.CommandLine, option));
        }
    }

    /// <summary>Checks the type of every value that was set, and warns of those without effect.</summary>
    public void Check()
    {
        var told = new HashSet<string>(StringComparer.Ordinal);
        // Those that have an effect first: a variable that sets several settings is one mistake.
        foreach (var setting in set.Values.OrderByDescending(static setting => setting.Key.Built))
        {
            if (!setting.Key.Built)
            {
                WarnOfUnbuilt(setting);
            }

            if (SettingValue.Check(setting) is { } error
                && (setting.Origin.Source != SettingSource.Environment || told.Add(setting.Origin.Detail)))
            {
                Problems.Add(Describe(setting, error));
            }
        }
    }

    /// <summary>Where a setting stands, without line and column: a reader of its parts adds those of each part.</summary>
    public static string Place(Setting setting)
    {
        var place = setting.Origin.Detail;
        if (setting.Origin.Source == SettingSource.File)
        {
            place = place[..place.LastIndexOf(':')];
            place = place[..place.LastIndexOf(':')];
        }

        return place;
    }

    /// <summary>A problem with a value, in one line that is safe for a terminal.</summary>
    public static string Describe(Setting setting, string error) =>
        $"{setting.Key.Path} = \"{Bounded(setting.Shown ?? "")}\" ({setting.Origin}): {Bounded(LogText.Escape(error))}";

    /// <summary>The same of a part of a setting.</summary>
    /// <param name="part">What is wrong.</param>
    /// <param name="path">The path of the part.</param>
    /// <param name="place">Where the setting stands (<see cref="Place"/>).</param>
    /// <param name="error">Why.</param>
    public static string Describe(ConfigurationNode part, string path, string place, string error)
    {
        var shown = part.ToString();
        return $"{LogText.Escape(path)} = \"{LogText.Escape(shown.Length > 200 ? shown[..200] + "…" : shown)}\" "
            + $"({place}:{part.Line}:{part.Column}): {LogText.Escape(error)}";
    }

    private static string Bounded(string text) => text.Length > MaximumShown ? text[..MaximumShown] + "…" : text;

    private void AddSection(string path, ConfigurationNode section, string origin)
    {
        foreach (var (keyNode, written) in section.Entries)
        {
            var name = path.Length == 0 ? keyNode.Text! : path + "." + keyNode.Text;
            var value = WithoutRanges(name, written);
            var place = new SettingOrigin(SettingSource.File, $"{origin}:{value.Line}:{value.Column}");
            if (KeyIndex.Find(name) is { } key)
            {
                if (value.IsNull || (value.Text is { Length: 0 } && !key.AllowsEmpty))
                {
                    continue;
                }

                set[key.Path] = new Setting(key, value.Text, value.Text is null ? value : null, place);
            }
            else if (KeyIndex.IsSection(name))
            {
                if (value.Kind == ConfigurationNodeKind.Mapping)
                {
                    AddSection(name, value, origin);
                }
                else if (!value.IsNull)
                {
                    Problems.Add($"{place}: {name} holds settings, a mapping is expected");
                }
            }
            else
            {
                Warnings.Add(Warnings.HasRoom
                    ? $"{origin}:{keyNode.Line}:{keyNode.Column}: the key {LogText.Quote(Bounded(name))} is unknown and has no effect"
                        + (KeyIndex.NearestPath(name) is { } nearest ? $"; did you mean {nearest}?" : "")
                    : "");
            }
        }
    }

    /// <summary>The schema of the peer has ports and process ids as a mapping with one key, <c>Ranges</c>.</summary>
    private static ConfigurationNode WithoutRanges(string name, ConfigurationNode value) =>
        value.Entries is [var (key, inner)] && key.Text is "Ranges" or "ranges"
        && KeyIndex.Find(name + ".Ranges") is not null
            ? inner : value;

    private void WarnOfVariable(string name, string value)
    {
        if (name is KeyIndex.FileVariable or KeyIndex.WorkerUserVariable or "OTEL_EBPF_CONFIG_PATH" || value.Length == 0)
        {
            return;
        }

        if (KeyIndex.IsOtherPeerVariable(name))
        {
            Warnings.Add($"the variable {name} belongs to a feature that is not built in this agent and has no effect");
        }
        else if (KeyIndex.IsOwnVariable(name))
        {
            Warnings.Add($"the variable {LogText.Quote(name)} is unknown and has no effect"
                + (KeyIndex.NearestVariable(name) is { } nearest ? $"; did you mean {nearest}?" : ""));
        }
    }

    private void WarnOfUnbuilt(Setting setting)
    {
        // A variable that sets several settings is warned of once, and not at all when one of them has an effect.
        if (setting.Origin.Source == SettingSource.Environment)
        {
            var keys = KeyIndex.FindByVariable(setting.Origin.Detail);
            if (keys.Any(static key => key.Built) || keys[0] != setting.Key)
            {
                return;
            }
        }

        Warnings.Add($"{setting.Key.Path} ({setting.Origin}) has no effect here: {setting.Key.Reason}");
    }

    private static int IndexOf(IReadOnlyList<string> list, string item)
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] == item)
            {
                return i;
            }
        }

        return list.Count;
    }
}
