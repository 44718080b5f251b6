namespace Beyla.Agent.Capabilities;

/// <summary>What <c>beyla capability</c> was asked.</summary>
internal sealed record CapabilityOptions
{
    /// <summary>The first word: test, set, clear or export; empty when there is none.</summary>
    internal string Verb { get; private init; } = "";

    /// <summary><c>--json</c>: one line of JSON in place of a table.</summary>
    internal bool Json { get; private set; }

    /// <summary><c>--probe</c>: asks the kernel by trying.</summary>
    internal bool Probe { get; private set; }

    /// <summary><c>--minimal</c>: what this agent needs, instead of the documented list.</summary>
    internal bool Minimal { get; private set; }

    /// <summary>What the file carries already stays.</summary>
    internal bool Add { get; private set; }

    /// <summary><c>--help</c>: the usage is asked for.</summary>
    internal bool Help { get; private set; }

    /// <summary><c>--file</c>: another copy of the agent; null for the one that runs.</summary>
    internal string? File { get; private set; }

    /// <summary><c>--format</c> of an export: systemd, kubernetes or docker; not checked here. Null when it was not given.</summary>
    internal string? Format { get; private set; }

    /// <summary><c>--image</c>: the container image for an export; null when it was not given.</summary>
    internal string? Image { get; private set; }

    /// <summary><c>--scenario</c>: a documented configuration in place of that of the caller; null for the caller's.</summary>
    internal Scenario? Scenario { get; private set; }

    /// <summary>Exactly these, whatever the configuration; null when it decides.</summary>
    internal CapabilitySet? Capabilities { get; private set; }

    /// <exception cref="FormatException">An option is unknown or has no value.</exception>
    internal static CapabilityOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new CapabilityOptions { Verb = arguments.Count > 0 && !arguments[0].StartsWith('-') ? arguments[0] : "" };
        for (var i = options.Verb.Length > 0 ? 1 : 0; i < arguments.Count; i++)
        {
            var (name, value) = Split(arguments[i]);
            switch (name)
            {
                case "--json": options.Json = true; break;
                case "--probe": options.Probe = true; break;
                case "--minimal": options.Minimal = true; break;
                case "--add": options.Add = true; break;
                case "--help" or "-h": options.Help = true; break;
                case "--file": options.File = value ?? Next(arguments, ref i); break;
                case "--format": options.Format = value ?? Next(arguments, ref i); break;
                case "--image": options.Image = value ?? Next(arguments, ref i); break;
                case "--scenario": options.Scenario = FindScenario(value ?? Next(arguments, ref i)); break;
                case "--capability": options.Capabilities = ReadSet(value ?? Next(arguments, ref i)); break;
                default: throw new FormatException($"'{arguments[i]}' is unknown");
            }
        }

        return options;
    }

    private static (string Name, string? Value) Split(string argument)
    {
        var equals = argument.StartsWith("--", StringComparison.Ordinal) ? argument.IndexOf('=', StringComparison.Ordinal) : -1;
        return equals < 0 ? (argument, null) : (argument[..equals], argument[(equals + 1)..]);
    }

    private static string Next(IReadOnlyList<string> arguments, ref int index) =>
        ++index < arguments.Count ? arguments[index] : throw new FormatException($"{arguments[index - 1]}: a value is missing");

    private static CapabilitySet ReadSet(string list)
    {
        var set = CapabilitySet.None;
        foreach (var name in list.Split(','))
        {
            if (!CapabilityNames.TryParse(name, out var capability) || !CapabilityTable.All.Contains(capability))
            {
                throw new FormatException($"--capability {name}: no configuration uses it; known are {CapabilityTable.All.ToSetcapText()}");
            }

            set = set.With(capability);
        }

        return set;
    }

    private static Scenario FindScenario(string name) => Scenario.Find(name)
        ?? throw new FormatException($"--scenario {name}: not one of {string.Join(", ", Scenario.All.Select(scenario => scenario.Name))}");
}
