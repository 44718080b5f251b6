namespace Beyla.Agent.Selection;

/// <summary>Which processes are traced: rules of which one must match, and exclusions of which none may.</summary>
public sealed record SelectionRules
{
    /// <summary>The selection that chooses nothing.</summary>
    public static SelectionRules Nothing { get; } = new();

    /// <summary>Alternatives, in the order of precedence.</summary>
    public IReadOnlyList<SelectionRule> Rules { get; init; } = [];

    /// <summary>Processes that are never traced, the defaults among them.</summary>
    public IReadOnlyList<SelectionRule> Exclusions { get; init; } = [];

    /// <summary>
    /// Paths below which the language of an executable is not asked for: rules see it as <c>unknown</c> there
    /// (<c>discovery.excluded_linux_system_paths</c>). Rules by port, path or process id are not touched by it.
    /// </summary>
    public IReadOnlyList<string> SystemPaths { get; init; } = [];

    /// <summary>
    /// The name for services that neither their environment nor a rule names, whatever rule selected them (<c>service_name</c>,
    /// deprecated); null for none.
    /// </summary>
    public string? ServiceName { get; init; }

    /// <summary>As <see cref="ServiceName"/>, for the namespace (<c>service_namespace</c>, deprecated).</summary>
    public string? ServiceNamespace { get; init; }

    /// <summary>The agent's own process id in the initial pid namespace, which is never traced.</summary>
    public int OwnPid { get; init; } = Environment.ProcessId;

    /// <summary>Whether nothing can be selected.</summary>
    public bool IsEmpty => Rules.Count == 0;

    /// <summary>Whether a rule asks for the language, so that finding it out is worth its cost before selecting.</summary>
    public bool NeedsLanguage =>
        Rules.Any(static rule => rule.Languages is not null)
        || Exclusions.Any(static rule => rule.Languages is not null);

    /// <summary>Whether a rule asks for the arguments.</summary>
    public bool NeedsCommandLine =>
        Rules.Any(static rule => rule.CommandArguments is not null) || Exclusions.Any(static rule => rule.CommandArguments is not null);

    /// <summary>The first rule that chooses the process, or null when none does or an exclusion forbids it.</summary>
    public SelectionRule? Find(ProcessFacts facts)
    {
        if (facts.Pid == OwnPid)
        {
            return null;
        }

        var language = LanguageSeen(facts);
        SelectionRule? chosen = null;
        foreach (var rule in Rules)
        {
            if (!rule.Matches(facts, language))
            {
                continue;
            }

            chosen = rule;
            break;
        }

        return chosen is null || IsExcluded(facts) ? null : chosen;
    }

    /// <summary>Whether an exclusion matches: such a process is not traced even when its parent is.</summary>
    public bool IsExcluded(ProcessFacts facts)
    {
        if (facts.Pid == OwnPid)
        {
            return true;
        }

        var language = LanguageSeen(facts);
        foreach (var rule in Exclusions)
        {
            if (rule.Matches(facts, language))
            {
                return true;
            }
        }

        return false;
    }

    private string LanguageSeen(ProcessFacts facts)
    {
        foreach (var path in SystemPaths)
        {
            if (facts.Executable.StartsWith(path, StringComparison.Ordinal))
            {
                return "unknown";
            }
        }

        return SelectionRule.LanguageName(facts.Language);
    }
}
