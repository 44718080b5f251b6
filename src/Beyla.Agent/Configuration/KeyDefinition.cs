namespace Beyla.Agent.Configuration;

/// <summary>What kind of value a setting takes.</summary>
public enum SettingType
{
    /// <summary>Any text.</summary>
    Text,

    /// <summary>true, false, 1, 0, t, f (as Go's ParseBool).</summary>
    Boolean,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A decimal number.</summary>
    Number,

    /// <summary>A duration with unit: 250ms, 1.5s, 1h30m (as Go's ParseDuration), not negative.</summary>
    Duration,

    /// <summary>One of the choices.</summary>
    Choice,

    /// <summary>Texts, with commas between them.</summary>
    List,

    /// <summary>Ports and ranges of ports.</summary>
    Ports,

    /// <summary>Process ids and ranges of them.</summary>
    Pids,

    /// <summary>A glob; see <see cref="Selection.Glob"/>.</summary>
    Glob,

    /// <summary>A regular expression without look-around and back references.</summary>
    Regex,

    /// <summary>A YAML list of selectors.</summary>
    Selectors,

    /// <summary>A list of CIDR blocks, in YAML also with names.</summary>
    Networks,

    /// <summary>Interface names and /regular expressions/ over them.</summary>
    Names,

    /// <summary>Names of transport protocols.</summary>
    Protocols,

    /// <summary>An IP address.</summary>
    Address,

    /// <summary>external, local, or name: and an interface.</summary>
    Interface,

    /// <summary>Anything, also nested YAML; not looked into.</summary>
    Any,
}

/// <summary>One setting of the table.</summary>
public sealed class KeyDefinition
{
    /// <summary>The YAML path with dots, <c>network.source</c>.</summary>
    public required string Path { get; init; }

    /// <summary>Environment variables that set it, the one that wins first; may be empty.</summary>
    public required IReadOnlyList<string> Variables { get; init; }

    /// <summary>What values it takes.</summary>
    public required SettingType Type { get; init; }

    /// <summary>What a <see cref="SettingType.Choice"/> may be.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Smallest integer allowed.</summary>
    public long Minimum { get; init; } = long.MinValue;

    /// <summary>Largest integer allowed.</summary>
    public long Maximum { get; init; } = long.MaxValue;

    /// <summary>Whether a duration must be above zero.</summary>
    public bool Positive { get; init; }

    /// <summary>The default in the notation of an environment variable; empty when unset.</summary>
    public required string Default { get; init; }

    /// <summary>Whether the setting has an effect in this agent.</summary>
    public required bool Built { get; init; }

    /// <summary>Why it has no effect; empty where it has one.</summary>
    public string Reason => Built ? "" : KeyReasons.Of(Path);

    /// <summary>What the setting does, in one sentence, for people.</summary>
    public required string Description { get; init; }

    /// <summary>Whether the value must not be shown.</summary>
    public bool Secret => Path.EndsWith("api_key", StringComparison.Ordinal) || Path.EndsWith(".headers", StringComparison.Ordinal);

    /// <summary>Whether an empty value means something else than "not set": an empty list, no text.</summary>
    public bool AllowsEmpty => Type is SettingType.Text or SettingType.List or SettingType.Ports or SettingType.Pids or SettingType.Glob
        or SettingType.Regex or SettingType.Selectors or SettingType.Networks or SettingType.Names or SettingType.Protocols;

    /// <param name="line"><c>key|variables|type|default</c>; see <see cref="KeyTable"/>.</param>
    /// <param name="description">What it does.</param>
    internal static KeyDefinition Parse(string line, string description)
    {
        var fields = line.Split('|');
        var built = fields[0][0] == '+';
        var type = fields[2].AsSpan();
        var space = type.IndexOf(' ');
        var argument = space < 0 ? "" : type[(space + 1)..].ToString();
        var kind = TypeOf(space < 0 ? type : type[..space]);
        var limits = kind == SettingType.Integer && argument.Length > 0 ? argument.Split("..") : [];
        return new KeyDefinition
        {
            Path = built ? fields[0][1..] : fields[0],
            Variables = fields[1].Length == 0 ? [] : fields[1].Split(','),
            Type = kind,
            Choices = kind == SettingType.Choice ? argument.Split(' ') : [],
            Minimum = limits.Length > 0 ? long.Parse(limits[0], System.Globalization.CultureInfo.InvariantCulture) : int.MinValue,
            Maximum = limits.Length > 1 && limits[1].Length > 0
                ? long.Parse(limits[1], System.Globalization.CultureInfo.InvariantCulture) : int.MaxValue,
            Positive = kind == SettingType.Duration && argument == ">0",
            Default = fields[3],
            Built = built,
            Description = description,
        };
    }

    private static SettingType TypeOf(ReadOnlySpan<char> name) => name switch
    {
        "text" => SettingType.Text,
        "bool" => SettingType.Boolean,
        "int" => SettingType.Integer,
        "number" => SettingType.Number,
        "duration" => SettingType.Duration,
        "one" => SettingType.Choice,
        "list" => SettingType.List,
        "ports" => SettingType.Ports,
        "pids" => SettingType.Pids,
        "glob" => SettingType.Glob,
        "regex" => SettingType.Regex,
        "selectors" => SettingType.Selectors,
        "networks" => SettingType.Networks,
        "names" => SettingType.Names,
        "protocols" => SettingType.Protocols,
        "address" => SettingType.Address,
        "interface" => SettingType.Interface,
        "any" => SettingType.Any,
        _ => throw new InvalidOperationException($"the table of settings has an unknown type \"{name}\""),
    };
}
