namespace Beyla.Agent.Selection;

/// <summary>
/// One way to choose processes. All criteria that are set must hold; one that is not set (empty or null) asks for nothing.
/// A rule without any criterion matches no process.
/// </summary>
public sealed record SelectionRule
{
    /// <summary>Where the rule comes from, for logs: <c>BEYLA_OPEN_PORT</c>, <c>discovery.instrument[0]</c>.</summary>
    public required string Origin { get; init; }

    /// <summary>The name that the rule gives to the service where the process does not name itself; null when it gives none.</summary>
    public string? ServiceName { get; init; }

    /// <summary>As <see cref="ServiceName"/>, for the namespace.</summary>
    public string? ServiceNamespace { get; init; }

    /// <summary>Which traces of the process are exported; null where that is as for all.</summary>
    public SamplerConfiguration? Sampler { get; init; }

    /// <summary>What leaves the agent of the process; null where the rule does not say.</summary>
    public ExportedSignals? Exports { get; init; }

    /// <summary>Patterns of paths of the service; null where the rule has none.</summary>
    public ServiceRoutes? Routes { get; init; }

    /// <summary>Names of the groups of metrics that the service has, as <c>metrics.features</c>; null where that is as for all.</summary>
    public IReadOnlyList<string>? Features { get; init; }

    /// <summary>The process listens on one of these TCP ports.</summary>
    public IntegerRanges OpenPorts { get; init; } = IntegerRanges.None;

    /// <summary>The process id is one of these.</summary>
    public IntegerRanges TargetPids { get; init; } = IntegerRanges.None;

    /// <summary>Fits the full path of the executable.</summary>
    public ITextPattern? ExecutablePath { get; init; }

    /// <summary>Fits the name of the language: go, java, dotnet, nodejs, python, ruby, php, rust, cpp, generic.</summary>
    public ITextPattern? Languages { get; init; }

    /// <summary>Fits the arguments, joined by spaces, without the program name.</summary>
    public ITextPattern? CommandArguments { get; init; }

    /// <summary>Whether the rule asks for anything.</summary>
    public bool HasCriterion => !OpenPorts.IsEmpty || !TargetPids.IsEmpty || ExecutablePath is not null
        || Languages is not null || CommandArguments is not null;

    /// <summary>Whether the process fulfils each criterion.</summary>
    public bool Matches(ProcessFacts facts) => Matches(facts, LanguageName(facts.Language));

    /// <summary>As <see cref="Matches(ProcessFacts)"/>, with another name of the language than that of the facts.</summary>
    internal bool Matches(ProcessFacts facts, string language) => HasCriterion
        && (TargetPids.IsEmpty || TargetPids.Contains(facts.Pid))
        && (OpenPorts.IsEmpty || ListensOnOne(facts.ListeningPorts))
        && (ExecutablePath is null || ExecutablePath.IsMatch(facts.Executable))
        && (CommandArguments is null || CommandArguments.IsMatch(facts.CommandLine))
        && (Languages is null || Languages.IsMatch(language));

    /// <summary>The name of a language as rules and output write it.</summary>
    public static string LanguageName(ProcessLanguage language) => language switch
    {
        ProcessLanguage.Go => "go",
        ProcessLanguage.Java => "java",
        ProcessLanguage.Dotnet => "dotnet",
        ProcessLanguage.NodeJs => "nodejs",
        ProcessLanguage.Python => "python",
        ProcessLanguage.Ruby => "ruby",
        ProcessLanguage.Php => "php",
        ProcessLanguage.Rust => "rust",
        ProcessLanguage.Cpp => "cpp",
        _ => "generic",
    };

    private bool ListensOnOne(IReadOnlyCollection<ushort> ports)
    {
        foreach (var port in ports)
        {
            if (OpenPorts.Contains(port))
            {
                return true;
            }
        }

        return false;
    }
}
