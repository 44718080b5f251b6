using Beyla.Agent.Configuration;

namespace Beyla.Agent.Processes;

/// <summary>What the rules say of a process.</summary>
internal enum Verdict : byte
{
    /// <summary>It ended before it could be looked at, and what it ran is not known or not wanted.</summary>
    Gone,

    /// <summary>No rule wants it.</summary>
    Unwanted,

    /// <summary>A rule wants it, and an exclusion or its being part of the agent forbids it.</summary>
    Excluded,

    /// <summary>It is to be traced.</summary>
    Selected,
}

/// <summary>Looks at a process and says whether it is traced and who it is. Reads only those files of /proc that the rules ask for.</summary>
internal sealed class ProcessInspector(Selection selection, SelectionNeeds needs, ProcReader proc, ProcessTableOptions options)
{
    // A chain of parents is followed no further: the agent starts no deep trees.
    private const int MaximumAncestors = 16;

    private readonly LanguageDetector languages = new(proc);
    private readonly HiddenNames hidden = new(proc, options);

    /// <param name="pid">The process.</param>
    /// <param name="ports">Ports it listens on.</param>
    /// <param name="executed">Path given to execve, where it is known: used when the executable may not be read.</param>
    /// <param name="info">Its identity when it is selected.</param>
    /// <param name="startTime">With the pid it names the process that was looked at.</param>
    public Verdict Judge(int pid, ushort[] ports, string executed, out ProcessInfo? info, out long startTime)
    {
        (info, startTime) = (null, 0);
        if (!proc.TryStat(pid, out var stat))
            return JudgeGone(pid, ports, executed, out info);
        startTime = stat.StartTime;
        if (stat.IsKernelThread)
            return Verdict.Unwanted;
        // Where rules ask for ports and pids alone, the program of a process that they do not want is not looked at.
        var facts = needs.Program ? FactsOf(pid, ports, executed) : new ProcessFacts { Pid = pid, ListeningPorts = ports };
        if (!IsWanted(facts))
            return Verdict.Unwanted;
        if (IsOwn(pid, stat))
            return Verdict.Excluded;
        if (!needs.Program)
            facts = FactsOf(pid, ports, executed);
        var rule = selection.Find(facts);
        if (rule is null)
            return selection.IsExcluded(facts) ? Verdict.Excluded : Verdict.Unwanted;
        info = Identify(facts, rule);
        return Verdict.Selected;
    }

    /// <summary>Whether an exclusion forbids a process that listens on these ports.</summary>
    public bool IsExcluded(ProcessInfo info, ushort[] ports) => selection.IsExcluded(FactsOf(info.Pid, ports, info.Executable));

    /// <summary>The language as it shows now.</summary>
    public ProcessLanguage Language(ProcessInfo info) => languages.Detect(info.Pid, info.Executable);

    /// <summary>Whether the process that was looked at still runs.</summary>
    public bool IsAlive(int pid, long startTime) => proc.TryStat(pid, out var stat) && stat.StartTime == startTime;

    /// <summary>A program that ran and ended before this look is judged by the path that execve was given: what it sent is still to be read.</summary>
    private Verdict JudgeGone(int pid, ushort[] ports, string executed, out ProcessInfo? info)
    {
        info = null;
        if (!executed.StartsWith('/'))
            return Verdict.Gone;
        var facts = FactsOf(pid, ports, executed);
        if (selection.Find(facts) is not { } rule)
            return Verdict.Gone;
        info = Identify(facts, rule);
        return Verdict.Selected;
    }

    private ProcessFacts FactsOf(int pid, ushort[] ports, string executed)
    {
        var executable = ExecutableOf(pid, executed);
        return new ProcessFacts
        {
            Pid = pid,
            Executable = executable,
            CommandLine = needs.CommandLine ? proc.CommandLine(pid)?.Arguments ?? "" : "",
            Language = needs.Language ? languages.Detect(pid, executable) : ProcessLanguage.Generic,
            ListeningPorts = ports,
        };
    }

    private string ExecutableOf(int pid, string executed)
    {
        if (proc.Executable(pid) is { Length: > 0 } path)
            return path;
        if (MapsLine.Executable(proc, pid) is { Length: > 0 } mapped)
            return mapped;
        // Empty rather than an argument 0 that is no path: that one says what the process likes to be called.
        return executed.Length > 0 ? executed : proc.CommandLine(pid) is { } line && line.Program.StartsWith('/') ? line.Program : "";
    }

    private bool IsWanted(ProcessFacts facts)
    {
        foreach (var rule in selection.Rules)
            if (rule.Matches(facts))
                return true;
        return false;
    }

    private bool IsOwn(int pid, ProcStat stat)
    {
        for (var i = 0; i < MaximumAncestors; i++)
        {
            if (pid == selection.OwnPid)
                return true;
            if (stat.Parent <= 1 || !proc.TryStat(stat.Parent, out var parent))
                return false;
            (pid, stat) = (stat.Parent, parent);
        }

        return false;
    }

    private ProcessInfo Identify(ProcessFacts facts, SelectionRule rule)
    {
        var own = ServiceNames.Read(proc, facts.Pid, options.StartedWith);
        var executable = facts.Executable;
        if (own.IsHidden)
            hidden.Tell(facts.Pid, executable);
        return new ProcessInfo
        {
            Pid = facts.Pid,
            Executable = executable,
            ServiceName = own.Name ?? ServiceNames.Shorten(FromRules(facts, rule, static rule => rule.ServiceName) ?? options.ServiceName)
                ?? (executable.Length > 0 ? ServiceNames.FileName(executable) : proc.Command(facts.Pid) ?? ""),
            ServiceNamespace = own.Namespace
                ?? ServiceNames.Shorten(FromRules(facts, rule, static rule => rule.ServiceNamespace) ?? options.ServiceNamespace) ?? "",
            Language = needs.Language ? facts.Language : languages.Detect(facts.Pid, executable),
        };
    }

    /// <summary>The rule that chose the process names it, else the first other one that fits and has a name to give.</summary>
    private string? FromRules(ProcessFacts facts, SelectionRule chosen, Func<SelectionRule, string?> name)
    {
        if (name(chosen) is { Length: > 0 } own)
            return own;
        foreach (var rule in selection.Rules)
            if (name(rule) is { Length: > 0 } other && rule.Matches(facts))
                return other;
        return null;
    }
}
