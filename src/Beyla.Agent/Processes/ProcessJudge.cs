using Beyla.Agent.Configuration;
using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Processes;

/// <summary>What the rules say of a process.</summary>
internal enum Verdict : byte
{
    /// <summary>No rule wants it.</summary>
    Unwanted,

    /// <summary>A rule wants it, and an exclusion or its being part of the agent forbids it.</summary>
    Excluded,

    /// <summary>It is to be traced.</summary>
    Selected,

    /// <summary>A rule may want it: what is not known yet tells.</summary>
    Undecided,
}

/// <summary>
/// Says by the rules, from what is known of a process, whether it is traced and what it is called. Reads nothing that can wait.
/// </summary>
internal sealed class ProcessJudge
{
    // A chain of parents is followed no further: the agent starts no deep trees.
    private const int MaximumAncestors = 16;

    private readonly SelectionRules selection;
    private readonly SelectionNeeds needs;
    private readonly ProcReader proc;
    private readonly ProcessTableOptions options;
    private readonly bool usesExecutable;

    /// <summary>The rules without what they ask of things that are not known: by whether ports and executable are.</summary>
    private readonly SelectionRule[][] relaxed;

    internal ProcessJudge(SelectionRules selection, SelectionNeeds needs, ProcReader proc, ProcessTableOptions options)
    {
        (this.selection, this.needs, this.proc, this.options) = (selection, needs, proc, options);
        usesExecutable = selection.Rules.Concat(selection.Exclusions).Any(static rule => rule.ExecutablePath is not null);
        relaxed = [Relax(false, false), Relax(true, false), Relax(false, true), Relax(true, true)];
    }

    /// <summary>What is to be looked at aside to know who a process is.</summary>
    internal InspectionParts Parts =>
        InspectionParts.Names | InspectionParts.Language | (needs.CommandLine ? InspectionParts.Arguments : 0)
            | (options.NeedsControlGroup ? InspectionParts.ControlGroup : 0);

    /// <summary>Decides, if that is possible without language, arguments, and what else is not known.</summary>
    /// <param name="facts">What is known.</param>
    /// <param name="knowsPorts">The ports are all that there are.</param>
    /// <param name="knowsExecutable">The executable is what the kernel says.</param>
    /// <param name="rule">The rule that selects.</param>
    internal Verdict Judge(ProcessFacts facts, bool knowsPorts, bool knowsExecutable, out SelectionRule? rule)
    {
        rule = null;
        if (!relaxed[(knowsPorts ? 1 : 0) + (knowsExecutable ? 2 : 0)]
            .Any(candidate => !candidate.HasCriterion || candidate.Matches(facts)))
        {
            return Verdict.Unwanted;
        }

        if (needs.Language || needs.CommandLine || (usesExecutable && !knowsExecutable) || (!knowsPorts && needs.ExclusionPorts))
        {
            return Verdict.Undecided;
        }

        rule = selection.Find(facts);
        if (rule is not null)
        {
            return Verdict.Selected;
        }

        return knowsPorts ? Refusal(facts) : Verdict.Undecided;
    }

    /// <summary>Decides with all facts at hand.</summary>
    internal Verdict Judge(ProcessFacts facts, out SelectionRule? rule)
    {
        rule = selection.Find(facts);
        return rule is not null ? Verdict.Selected : Refusal(facts);
    }

    /// <summary>Whether an exclusion forbids the process.</summary>
    internal bool IsExcluded(ProcessFacts facts) => selection.IsExcluded(facts);

    /// <summary>Whether a rule wants the process, may it be forbidden or not.</summary>
    internal bool IsWanted(ProcessFacts facts)
    {
        foreach (var rule in selection.Rules)
        {
            if (rule.Matches(facts))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the agent started the process, or is it.</summary>
    internal bool IsOwn(int pid, ProcStat stat)
    {
        for (var i = 0; i < MaximumAncestors; i++)
        {
            if (pid == selection.OwnPid)
            {
                return true;
            }

            if (stat.Parent <= 1 || !proc.TryStat(stat.Parent, out var parent))
            {
                return false;
            }

            (pid, stat) = (stat.Parent, parent);
        }

        return false;
    }

    /// <summary>Who a selected process is.</summary>
    internal ProcessInfo Identify(ProcessFacts facts, SelectionRule rule, ServiceNames own) => new()
    {
        Pid = facts.Pid,
        Executable = facts.Executable,
        ServiceName = own.Name ?? ServiceNames.Shorten(FromRules(facts, rule, static rule => rule.ServiceName) ?? options.ServiceName)
            ?? (facts.Executable.Length > 0 ? ServiceNames.FileName(facts.Executable) : proc.Command(facts.Pid) ?? ""),
        ServiceNamespace = own.Namespace
            ?? ServiceNames.Shorten(FromRules(facts, rule, static rule => rule.ServiceNamespace) ?? options.ServiceNamespace) ?? "",
        Language = facts.Language,
        ResourceAttributes = own.Attributes ?? [],
        Sampler = rule.Sampler,
        Exports = Last(facts, rule, static rule => rule.Exports is not null)?.Exports ?? ExportedSignals.All,
        Routes = Last(facts, rule, static rule => rule.Routes is not null)?.Routes,
        Features = Last(facts, rule, static rule => rule.Features is not null)?.Features is { } names ? ServiceFeatures.Of(names) : null,
    };

    private Verdict Refusal(ProcessFacts facts) => IsWanted(facts) && selection.IsExcluded(facts) ? Verdict.Excluded : Verdict.Unwanted;

    private SelectionRule[] Relax(bool knowsPorts, bool knowsExecutable) =>
    [
        .. selection.Rules.Where(static rule => rule.HasCriterion).Select(rule => rule with
        {
            Languages = null,
            CommandArguments = null,
            OpenPorts = knowsPorts ? rule.OpenPorts : IntegerRanges.None,
            ExecutablePath = knowsExecutable ? rule.ExecutablePath : null,
        }),
    ];

    /// <summary>
    /// Of the rules that fit and say something the last one, so that one for some services may stand behind one for all, as in Grafana
    /// Beyla.
    /// </summary>
    private SelectionRule? Last(ProcessFacts facts, SelectionRule chosen, Func<SelectionRule, bool> says)
    {
        for (var i = selection.Rules.Count - 1; i >= 0; i--)
        {
            var rule = selection.Rules[i];
            if (says(rule) && (rule == chosen || rule.Matches(facts)))
            {
                return rule;
            }
        }

        return null;
    }

    /// <summary>The rule that chose the process names it, else the first other one that fits and has a name to give.</summary>
    private string? FromRules(ProcessFacts facts, SelectionRule chosen, Func<SelectionRule, string?> name)
    {
        if (name(chosen) is { Length: > 0 } own)
        {
            return own;
        }

        foreach (var rule in selection.Rules)
        {
            if (name(rule) is { Length: > 0 } other && rule.Matches(facts))
            {
                return other;
            }
        }

        return null;
    }
}
