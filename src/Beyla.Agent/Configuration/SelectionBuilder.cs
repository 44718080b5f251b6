using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>Makes the rules of selection out of all settings that select, by the precedence of the peer.</summary>
/// <remarks>
/// Process ids rule alone. Else the entries of <c>discovery.instrument</c> and one rule that demands port, executable and language of the
/// variables together. The deprecated <c>executable_name</c> and <c>discovery.services</c> count only where none of the newer ways names
/// an executable.
/// </remarks>
internal sealed class SelectionBuilder(SettingLayers layers)
{
    private static readonly string[] DefaultExclusion =
    [
        "*beyla", "*alloy", "*prometheus-config-reloader", "*ebpf-instrument", "*obi",
        "*otelcol", "*otelcol-contrib", "*otelcol-contrib[!/]*",
    ];

    /// <summary>Builds the rules. What is wrong with a selector is added to the problems and warnings of the layers.</summary>
    public SelectionRules Build()
    {
        var instrument = Selectors("discovery.instrument");
        var exclusions = Selectors("discovery.exclude_instrument");
        exclusions.AddRange(DeprecatedSelectors("discovery.exclude_services", "discovery.exclude_instrument"));
        var defaults = layers[KeyIndex.Get("discovery.default_exclude_instrument")];
        exclusions.AddRange(
            defaults.Origin.Source == SettingSource.Default
                ? DefaultExclusions()
                : Selectors("discovery.default_exclude_instrument"));
        return new SelectionRules
        {
            Rules = Rules(instrument),
            Exclusions = exclusions,
            SystemPaths = [.. layers[KeyIndex.Get("discovery.excluded_linux_system_paths")].Items],
            ServiceName = NameOf("service_name"),
            ServiceNamespace = NameOf("service_namespace"),
        };
    }

    private List<SelectionRule> Rules(List<SelectionRule> instrument)
    {
        var ports = layers[KeyIndex.Get("open_port")];
        var pids = layers[KeyIndex.Get("target_pids")];
        var executable = layers[KeyIndex.Get("AutoTargetExe")];
        var language = layers[KeyIndex.Get("AutoTargetLanguage")];
        var deprecated = layers[KeyIndex.Get("executable_name")];
        var named = new SelectionRule { Origin = "", ServiceName = NameOf("service_name"), ServiceNamespace = NameOf("service_namespace") };

        SettingValue.Ranges(pids, 1, int.MaxValue, out var pidRanges);
        if (!pidRanges.IsEmpty)
        {
            foreach (var other in (Setting[])[ports, executable, language, deprecated])
            {
                WarnIgnored(other, "target_pids", pids);
            }

            foreach (var path in (string[])["discovery.instrument", "discovery.services"])
            {
                WarnIgnored(layers[KeyIndex.Get(path)], "target_pids", pids);
            }

            return [named with { Origin = Origin(pids), TargetPids = pidRanges }];
        }

        SettingValue.Ranges(ports, 1, ushort.MaxValue, out var portRanges);
        var executableGlob = GlobOf(executable);
        var languageGlob = GlobOf(language);
        var rule = named with { OpenPorts = portRanges, ExecutablePath = executableGlob, Languages = languageGlob };
        var origins = new List<Setting> { ports, executable, language };
        var newer = instrument.Count > 0 ? layers[KeyIndex.Get("discovery.instrument")]
            : executableGlob is not null ? executable
            : languageGlob is not null ? language
            : null;
        if (newer is not null)
        {
            WarnIgnored(deprecated, newer.Key.Path, newer);
            WarnIgnored(layers[KeyIndex.Get("discovery.services")], newer.Key.Path, newer);
        }
        else
        {
            instrument = DeprecatedSelectors("discovery.services", "discovery.instrument");
            if (!string.IsNullOrEmpty(deprecated.Text) && SafeRegex.TryParse(deprecated.Text, out var pattern, out _))
            {
                rule = rule with { ExecutablePath = new RegexPattern(pattern) };
                origins.Add(deprecated);
                layers.Warnings.Add($"executable_name ({deprecated.Origin}) is deprecated, BEYLA_AUTO_TARGET_EXE takes a glob instead");
            }
        }

        if (!rule.HasCriterion)
        {
            return instrument;
        }

        return [.. instrument, rule with
        {
            Origin = string.Join(
                " and ", origins.Where(static origin => origin.Text?.Length > 0 || origin.Node is not null).Select(Origin)),
        }];
    }

    /// <summary>Entries with regular expressions, as the peer had them before it took globs.</summary>
    private List<SelectionRule> DeprecatedSelectors(string path, string instead)
    {
        var entries = Selectors(path, regularExpressions: true);
        if (entries.Count > 0)
        {
            layers.Warnings.Add($"{path} ({layers[KeyIndex.Get(path)].Origin}) is deprecated, {instead} takes globs instead");
        }

        return entries;
    }

    private List<SelectionRule> Selectors(string path, bool regularExpressions = false)
    {
        var setting = layers[KeyIndex.Get(path)];
        return new SelectorReader(SettingLayers.Place(setting), layers.Warnings, layers.Problems, regularExpressions).Read(setting);
    }

    /// <summary>The text of a setting; null when it is unset or empty.</summary>
    private string? NameOf(string path) => layers[KeyIndex.Get(path)].Text is { Length: > 0 } name ? name : null;

    /// <summary>The glob of a setting; null when it is unset, or did not pass its check.</summary>
    private static Glob? GlobOf(Setting setting) => Glob.TryParse(setting.Text ?? "", out var glob, out _) ? glob : null;

    private static IEnumerable<SelectionRule> DefaultExclusions()
    {
        foreach (var pattern in DefaultExclusion)
        {
            if (Glob.TryParse(pattern, out var glob, out _))
            {
                yield return new SelectionRule { Origin = "discovery.default_exclude_instrument", ExecutablePath = glob };
            }
        }
    }

    private void WarnIgnored(Setting ignored, string winner, Setting winning)
    {
        if (ignored.Origin.Source != SettingSource.Default && (ignored.Node is not null || ignored.Text?.Length > 0))
        {
            layers.Warnings.Add($"{ignored.Key.Path} ({ignored.Origin}) has no effect, because {winner} ({winning.Origin}) is set");
        }
    }

    private static string Origin(Setting setting) =>
        setting.Origin.Source is SettingSource.Environment or SettingSource.CommandLine ? setting.Origin.Detail : setting.Key.Path;
}
