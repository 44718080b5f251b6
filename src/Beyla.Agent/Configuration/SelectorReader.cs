using Beyla.Agent.Logging;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Reads the entries of <c>discovery.instrument</c> and <c>discovery.exclude_instrument</c>, and of their deprecated kin <c>services</c>
/// and <c>exclude_services</c>. An entry with a criterion that this agent cannot judge is left out with a warning: without that
/// criterion it would choose more than was meant.
/// </summary>
/// <param name="origin">Where the entries are, for messages.</param>
/// <param name="warnings">Gets what has no effect.</param>
/// <param name="problems">Gets what is wrong.</param>
/// <param name="regularExpressions">Patterns are regular expressions, found anywhere in the text, and not globs.</param>
internal sealed partial class SelectorReader(string origin, MessageList warnings, MessageList problems, bool regularExpressions = false)
{
    private const int MaximumEntries = 256;

    private static readonly string[] Known =
        ["name", "namespace", "open_ports", "exe_path", "languages", "target_pids", "cmd_args", "sampler", "exports", "routes",
            "metrics", .. UnbuiltCriteria];

    private static ReadOnlySpan<string> UnbuiltCriteria => (string[])
    [
        "containers_only", "container_name", "k8s_namespace", "k8s_pod_name", "k8s_deployment_name", "k8s_replicaset_name",
        "k8s_daemonset_name", "k8s_statefulset_name", "k8s_job_name", "k8s_cronjob_name", "k8s_owner_name", "k8s_container_name",
        "k8s_pod_labels", "k8s_pod_annotations",
    ];

    /// <summary>Reads all entries of a setting.</summary>
    public List<SelectionRule> Read(Setting setting)
    {
        var rules = new List<SelectionRule>();
        if (setting.Node is null)
        {
            if (!string.IsNullOrWhiteSpace(setting.Text))
            {
                problems.Add(SettingLayers.Describe(setting, "a list of selectors is expected, such as [{open_ports: 8080}]"));
            }

            return rules;
        }

        if (setting.Node.Kind != ConfigurationNodeKind.List || setting.Node.Items.Count > MaximumEntries)
        {
            problems.Add(SettingLayers.Describe(
                setting,
                $"a list of at most {MaximumEntries} selectors is expected, such as [{{open_ports: 8080}}]"));
            return rules;
        }

        for (var i = 0; i < setting.Node.Items.Count; i++)
        {
            if (ReadEntry(setting.Node.Items[i], $"{setting.Key.Path}[{i}]") is { } rule)
            {
                rules.Add(rule);
            }
        }

        return rules;
    }

    private SelectionRule? ReadEntry(ConfigurationNode entry, string path)
    {
        if (entry.Kind != ConfigurationNodeKind.Mapping)
        {
            Problem(entry, path, "a selector is a mapping such as {open_ports: 8080}");
            return null;
        }

        var rule = new SelectionRule { Origin = path };
        var usable = true;
        var before = problems.Total;
        foreach (var (key, value) in entry.Entries)
        {
            if (value.IsNull || value.Text is { Length: 0 })
            {
                continue;
            }

            var field = key.Text!;
            if (!ReadField(ref rule, field, value, $"{path}.{field}"))
            {
                usable = false;
                warnings.Add(UnbuiltCriteria.Contains(field)
                    ? $"{Place(key)}: {path} is left out, because {field} belongs to a feature that is not built in this agent"
                    : $"{Place(key)}: {path} is left out, because the key {LogText.Quote(field)} is unknown"
                        + (NearestName.Find(field, Known) is { } nearest ? $"; did you mean {nearest}?" : ""));
            }
        }

        // What is wrong with a criterion was said; that it is missing now would be one error too many.
        if (usable && !rule.HasCriterion && problems.Total == before)
        {
            Problem(entry, path, "at least one of open_ports, exe_path, languages, target_pids and cmd_args is needed");
            return null;
        }

        return usable ? rule : null;
    }

    private bool ReadField(ref SelectionRule rule, string field, ConfigurationNode value, string path)
    {
        switch (field)
        {
            case "name":
                rule = rule with { ServiceName = Text(value, path) };
                return true;
            case "namespace":
                rule = rule with { ServiceNamespace = Text(value, path) };
                return true;
            case "open_ports":
                rule = rule with { OpenPorts = Ranges(value, path, ushort.MaxValue) };
                return true;
            case "target_pids":
                rule = rule with { TargetPids = Ranges(value, path, int.MaxValue) };
                return true;
            case "exe_path":
            case "exe_path_regexp" when regularExpressions:
                rule = rule with { ExecutablePath = Pattern(value, path) };
                return true;
            case "languages":
                rule = rule with { Languages = Pattern(value, path) };
                return true;
            case "sampler":
                rule = rule with { Sampler = Sampler(value, path) };
                return true;
            case "exports":
                rule = rule with { Exports = Exports(value, path) };
                return true;
            case "routes":
                rule = rule with { Routes = Routes(value, path) };
                return true;
            case "metrics":
                rule = rule with { Features = Features(value, path) };
                return true;
            case "cmd_args":
                rule = rule with { CommandArguments = Pattern(value, path) };
                return true;
            default:
                return false;
        }
    }

    private SamplerConfiguration? Sampler(ConfigurationNode value, string path)
    {
        string name = "", argument = "";
        foreach (var (key, given) in value.Entries)
        {
            switch (key.Text)
            {
                case "name" when given.Text is not null:
                    name = given.Text;
                    break;
                case "arg" when given.Text is not null:
                    argument = given.Text;
                    break;
                default:
                    Problem(value, path, "a sampler is a mapping such as {name: traceidratio, arg: 0.1}");
                    return null;
            }
        }

        var error = SamplerConfiguration.Read(name, argument, out var sampler) ?? (name.Length == 0 ? "a sampler has a name" : null);
        if (error is not null)
        {
            Problem(value, path, error);
            return null;
        }

        return sampler;
    }

    private string? Text(ConfigurationNode value, string path)
    {
        if (value.Text is null)
        {
            Problem(value, path, "a text is expected");
        }

        return value.Text;
    }

    private IntegerRanges Ranges(ConfigurationNode value, string path, int maximum)
    {
        if (value.Kind == ConfigurationNodeKind.Mapping)
        {
            Problem(value, path, "a number, a range or a list of them is expected");
        }
        else if (SettingValue.Ranges(value.Text, value, 1, maximum, out var ranges) is { } error)
        {
            Problem(value, path, error);
        }
        else
        {
            return ranges;
        }

        return IntegerRanges.None;
    }

    private ITextPattern? Pattern(ConfigurationNode value, string path)
    {
        if (Text(value, path) is not { } text)
        {
            return null;
        }

        if (regularExpressions)
        {
            if (SafeRegex.TryParse(text, out var expression, out var wrong))
            {
                return new RegexPattern(expression);
            }

            Problem(value, path, wrong);
            return null;
        }

        if (Glob.TryParse(text, out var glob, out var error))
        {
            return glob;
        }

        Problem(value, path, error);
        return null;
    }

    private void Problem(ConfigurationNode at, string path, string error) =>
        problems.Add(SettingLayers.Describe(at, path, origin, error));

    private string Place(ConfigurationNode at) => $"{origin}:{at.Line}:{at.Column}";
}
