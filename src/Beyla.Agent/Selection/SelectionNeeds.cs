using System.Collections;

namespace Beyla.Agent.Selection;

/// <summary>What the rules ask for, worked out once: it decides which events have to be looked at, and how closely.</summary>
public sealed class SelectionNeeds
{
    private const int PortLimit = 65536;

    private readonly BitArray portsAlone = new(PortLimit);
    private readonly BitArray mentioned = new(PortLimit);

    /// <summary>Works out what these rules ask for.</summary>
    public SelectionNeeds(SelectionRules selection)
    {
        foreach (var rule in selection.Rules)
        {
            Mark(rule.OpenPorts, mentioned);
            if (IsPortsAlone(rule))
            {
                Mark(rule.OpenPorts, portsAlone);
            }
        }

        foreach (var rule in selection.Exclusions)
        {
            Mark(rule.OpenPorts, mentioned);
        }

        Ports = selection.Rules.Concat(selection.Exclusions).Any(static rule => !rule.OpenPorts.IsEmpty);
        ExclusionPorts = selection.Exclusions.Any(static rule => !rule.OpenPorts.IsEmpty);
        WithoutPorts = selection.Rules.Any(static rule => rule.OpenPorts.IsEmpty && rule.HasCriterion);
        Program = selection.Rules.Any(LooksAtProgram);
        JudgeListeners = selection.Rules.Any(static rule => !rule.OpenPorts.IsEmpty && !IsPortsAlone(rule));
        EveryExec = selection.Rules.Any(static rule => rule.OpenPorts.IsEmpty && LooksAtProgram(rule));
        LanguageAlone = selection.Rules.Any(static rule => rule.OpenPorts.IsEmpty && rule.Languages is not null);
        Language = selection.NeedsLanguage;
        CommandLine = selection.NeedsCommandLine;
    }

    /// <summary>Some rule or exclusion names ports.</summary>
    public bool Ports { get; }

    /// <summary>Some exclusion names ports: then one port of a process does not tell enough.</summary>
    public bool ExclusionPorts { get; }

    /// <summary>A process may be selected that listens on nothing.</summary>
    public bool WithoutPorts { get; }

    /// <summary>Some rule looks at the executable, the arguments or the language.</summary>
    public bool Program { get; }

    /// <summary>A program that starts in an untraced process may be wanted for what it is.</summary>
    public bool EveryExec { get; }

    /// <summary>A rule asks for a port and for something else, so that the port alone does not tell who is meant.</summary>
    public bool JudgeListeners { get; }

    /// <summary>A process may be selected for its language, whatever it listens on.</summary>
    public bool LanguageAlone { get; }

    /// <summary>Some rule or exclusion asks for the language.</summary>
    public bool Language { get; }

    /// <summary>Some rule or exclusion asks for the arguments.</summary>
    public bool CommandLine { get; }

    /// <summary>Whether some rule or exclusion names the port.</summary>
    public bool Mentions(int port) => port is > 0 and < PortLimit && mentioned[port];

    /// <summary>Whether a rule asks for this port and nothing else: then the kernel side can select by it.</summary>
    public bool IsSelectedAlone(int port) => port is > 0 and < PortLimit && portsAlone[port];

    /// <summary>The ports for which <see cref="Mentions"/> holds.</summary>
    public IEnumerable<int> PortsMentioned() => Enumerable.Range(1, PortLimit - 1).Where(port => mentioned[port]);

    /// <summary>The ports for which <see cref="IsSelectedAlone"/> holds.</summary>
    public IEnumerable<int> PortsAlone() => Enumerable.Range(1, PortLimit - 1).Where(port => portsAlone[port]);

    private static bool IsPortsAlone(SelectionRule rule) => !rule.OpenPorts.IsEmpty && rule.TargetPids.IsEmpty && !LooksAtProgram(rule);

    private static bool LooksAtProgram(SelectionRule rule) => rule.ExecutablePath is not null
        || rule.Languages is not null || rule.CommandArguments is not null;

    private static void Mark(IntegerRanges ports, BitArray bits)
    {
        foreach (var range in ports.Ranges)
        {
            for (var port = Math.Max(range.First, 1); port <= Math.Min(range.Last, PortLimit - 1); port++)
            {
                bits[port] = true;
            }
        }
    }
}
