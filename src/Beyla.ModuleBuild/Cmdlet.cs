namespace Beyla.ModuleBuild;

/// <summary>A cmdlet as its assembly and its comments describe it.</summary>
internal sealed record Cmdlet
{
    public required string Verb { get; init; }

    public required string Noun { get; init; }

    public required string DefaultSet { get; init; }

    public required string Synopsis { get; init; }

    public required IReadOnlyList<string> Description { get; init; }

    public required IReadOnlyList<Example> Examples { get; init; }

    public required IReadOnlyList<Parameter> Parameters { get; init; }

    public required IReadOnlyList<string> Outputs { get; init; }

    public string Name => $"{Verb}-{Noun}";

    /// <summary>The names of the parameter sets, the default one first.</summary>
    public IReadOnlyList<string> Sets
    {
        get
        {
            var sets = Parameters.SelectMany(p => p.Places).Select(p => p.Set).Where(s => s != Place.EverySet).Distinct().ToList();
            return sets.Count == 0 ? [Place.EverySet]
                : [.. sets.OrderByDescending(s => s == DefaultSet).ThenBy(s => s, StringComparer.Ordinal)];
        }
    }
}

/// <summary>An example: what is typed, and what comes of it.</summary>
internal sealed record Example(string Title, string Code, IReadOnlyList<string> Text);

/// <summary>A parameter.</summary>
internal sealed record Parameter
{
    public required string Name { get; init; }

    public required string Type { get; init; }

    public required bool IsSwitch { get; init; }

    public required bool IsList { get; init; }

    public required IReadOnlyList<string> Values { get; init; }

    public required IReadOnlyList<string> Aliases { get; init; }

    public required IReadOnlyList<string> Description { get; init; }

    public required IReadOnlyList<Place> Places { get; init; }

    public Place? In(string set) => Places.FirstOrDefault(p => p.Set == set) ?? Places.FirstOrDefault(p => p.Set == Place.EverySet);
}

/// <summary>A parameter in one parameter set.</summary>
internal sealed record Place(string Set, bool Mandatory, int Position, bool ByValue, bool ByName)
{
    public const string EverySet = "__AllParameterSets";

    public string PositionText => Position < 0 ? "named" : Position.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public string PipelineText => (ByValue, ByName) switch
    {
        (true, true) => "True (ByValue, ByPropertyName)",
        (true, false) => "True (ByValue)",
        (false, true) => "True (ByPropertyName)",
        _ => "False",
    };
}
