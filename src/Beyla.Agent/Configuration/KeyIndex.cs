namespace Beyla.Agent.Configuration;

/// <summary>Finds settings by YAML path and by environment variable, and the nearest known name to an unknown one.</summary>
public static class KeyIndex
{
    /// <summary>Prefix of the variables; <see cref="PeerPrefix"/> is accepted in its place.</summary>
    public const string Prefix = "BEYLA_";

    /// <summary>The prefix of the variables in OpenTelemetry's edition of the peer. <see cref="Prefix"/> wins where both are set.</summary>
    public const string PeerPrefix = "OTEL_EBPF_";

    /// <summary>The variable that names the configuration file.</summary>
    public const string FileVariable = "BEYLA_CONFIG_PATH";

    /// <summary>
    /// The variable that names the worker's user, by name or number, where root starts the agent. It is no setting: the worker is that user
    /// before any configuration can be read.
    /// </summary>
    public const string WorkerUserVariable = "BEYLA_WORKER_USER";

    private static readonly Dictionary<string, KeyDefinition> ByPath = new(StringComparer.Ordinal);
    private static readonly Dictionary<string, List<KeyDefinition>> ByVariable = new(StringComparer.Ordinal);
    private static readonly HashSet<string> Sections = new(StringComparer.Ordinal);

    private static readonly string[] StandardPrefixes =
        ["OTEL_EXPORTER_", "OTEL_TRACES_", "OTEL_METRICS_", "OTEL_METRIC_", "OTEL_BSP_", "OTEL_ATTRIBUTE_", "OTEL_SPAN_"];

    static KeyIndex()
    {
        var all = KeyTable.Sections.SelectMany(static section => section.Read()).ToArray();
        // The end mark keeps a longer name (agent_ip_type) before the one that it begins with (agent_ip).
        Array.Sort(Array.ConvertAll(all, static key => key.Path.ToLowerInvariant() + "|"), all, StringComparer.Ordinal);
        foreach (var key in all)
        {
            ByPath.Add(key.Path, key);
            for (var dot = key.Path.IndexOf('.'); dot >= 0; dot = key.Path.IndexOf('.', dot + 1))
            {
                Sections.Add(key.Path[..dot]);
            }

            foreach (var variable in key.Variables)
            {
                if (!ByVariable.TryGetValue(variable, out var keys))
                {
                    ByVariable.Add(variable, keys = []);
                }

                keys.Add(key);
            }
        }

        All = all;
    }

    /// <summary>All settings, in the order of their paths.</summary>
    public static IReadOnlyList<KeyDefinition> All { get; }

    /// <summary>The setting of a YAML path, or null.</summary>
    public static KeyDefinition? Find(string path) => ByPath.GetValueOrDefault(path switch
    {
        // The peer's YAML library makes these names from those of its fields.
        "autotargetexe" or "auto_target_exe" => "AutoTargetExe",
        "autotargetlanguage" or "auto_target_language" => "AutoTargetLanguage",
        // In the peer's schema these are mappings with one key.
        "open_port.Ranges" => "open_port",
        "target_pids.Ranges" => "target_pids",
        _ => path,
    });

    /// <summary>The setting of a path that is known to exist.</summary>
    internal static KeyDefinition Get(string path) => ByPath[path];

    /// <summary>Whether settings lie below a YAML path.</summary>
    public static bool IsSection(string path) => Sections.Contains(path);

    /// <summary>Whether a variable is the agent's own by its prefix.</summary>
    public static bool IsOwnVariable(string variable) =>
        variable.StartsWith(Prefix, StringComparison.Ordinal) || variable.StartsWith(PeerPrefix, StringComparison.Ordinal);

    /// <summary>
    /// Whether a variable is one of the OpenTelemetry specification, which may be set for other programs: a value that cannot be used is
    /// warned of and counts as not set (Environment Variable Specification, "Parsing empty value" and "Type-specific guidance").
    /// </summary>
    public static bool IsStandardVariable(string variable) =>
        StandardPrefixes.Any(prefix => variable.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Whether the variable is one that the peer reads for something that this agent has not.</summary>
    public static bool IsOtherPeerVariable(string variable) =>
        variable.StartsWith("BEYLA_GRAFANA_AI_", StringComparison.Ordinal);

    /// <summary>
    /// The settings of a variable in any of its spellings (BEYLA_X, BEYLA_OTEL_X, OTEL_EBPF_X); empty when there are none.
    /// </summary>
    public static IReadOnlyList<KeyDefinition> FindByVariable(string variable) => ByVariable.GetValueOrDefault(Canonical(variable)) ?? [];

    /// <summary>The spelling of a variable that the table has.</summary>
    public static string Canonical(string variable)
    {
        if (ByVariable.ContainsKey(variable))
        {
            return variable;
        }

        foreach (var prefix in (ReadOnlySpan<string>)["BEYLA_OTEL_", PeerPrefix])
        {
            if (variable.StartsWith(prefix, StringComparison.Ordinal) && ByVariable.ContainsKey(Prefix + variable[prefix.Length..]))
            {
                return Prefix + variable[prefix.Length..];
            }
        }

        return variable;
    }

    /// <summary>The known variable nearest to an unknown one, or null.</summary>
    public static string? NearestVariable(string variable) =>
        NearestName.Find(
            variable.StartsWith(PeerPrefix, StringComparison.Ordinal) ? Prefix + variable[PeerPrefix.Length..] : variable,
            ByVariable.Keys.Append(FileVariable).Append(WorkerUserVariable));

    /// <summary>The known path nearest to an unknown one, or null: a similar one, or the same name in another section.</summary>
    public static string? NearestPath(string path)
    {
        var last = path[(path.LastIndexOf('.') + 1)..];
        return NearestName.Find(path, ByPath.Keys.Concat(Sections))
            ?? All.FirstOrDefault(key => key.Path == last || key.Path.EndsWith("." + last, StringComparison.Ordinal))?.Path;
    }
}
