namespace Beyla.ModuleBuild;

/// <summary>A cmdlet as its assembly and its comments describe it.</summary>
internal sealed record Cmdlet
{
    /// <summary>The part of the name before the hyphen.</summary>
    public required string Verb { get; init; }

    /// <summary>The part of the name behind the hyphen.</summary>
    public required string Noun { get; init; }

    /// <summary>The parameter set that counts when the arguments fit several.</summary>
    public required string DefaultSet { get; init; }

    /// <summary>One sentence.</summary>
    public required string Synopsis { get; init; }

    /// <summary>Paragraphs.</summary>
    public required IReadOnlyList<string> Description { get; init; }

    /// <summary>In the order of the comment.</summary>
    public required IReadOnlyList<Example> Examples { get; init; }

    /// <summary>Its own, and -WhatIf and -Confirm where it has them.</summary>
    public required IReadOnlyList<Parameter> Parameters { get; init; }

    /// <summary>Full names of the types that it emits.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>As it is typed: Verb-Noun.</summary>
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
    /// <summary>Without the hyphen.</summary>
    public required string Name { get; init; }

    /// <summary>Full name of its type.</summary>
    public required string Type { get; init; }

    /// <summary>It takes no value.</summary>
    public required bool IsSwitch { get; init; }

    /// <summary>It takes several values.</summary>
    public required bool IsList { get; init; }

    /// <summary>The only values that it takes; empty when it takes others.</summary>
    public required IReadOnlyList<string> Values { get; init; }

    /// <summary>Other names.</summary>
    public required IReadOnlyList<string> Aliases { get; init; }

    /// <summary>Paragraphs.</summary>
    public required IReadOnlyList<string> Description { get; init; }

    /// <summary>The parameter sets in which it is.</summary>
    public required IReadOnlyList<Place> Places { get; init; }

    /// <summary>Its place in a parameter set, by name or because it is in every one; null when it is not in that set.</summary>
    public Place? In(string set) => Places.FirstOrDefault(p => p.Set == set) ?? Places.FirstOrDefault(p => p.Set == Place.EverySet);
}

/// <summary>A parameter in one parameter set.</summary>
internal sealed record Place(string Set, bool Mandatory, int Position, bool ByValue, bool ByName)
{
    /// <summary>The name that PowerShell gives to what holds in every parameter set.</summary>
    public const string EverySet = "__AllParameterSets";

    /// <summary>The position as MAML has it: a number, or <c>named</c>.</summary>
    public string PositionText => Position < 0 ? "named" : Position.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>What the pipeline gives, as MAML has it.</summary>
    public string PipelineText => (ByValue, ByName) switch
    {
        (true, true) => "True (ByValue, ByPropertyName)",
        (true, false) => "True (ByValue)",
        (false, true) => "True (ByPropertyName)",
        _ => "False",
    };
}
