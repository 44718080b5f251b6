namespace Beyla.Agent.Selection;

/// <summary>What selection rules look at: what is known of a process before it is decided whether it is traced.</summary>
public sealed record ProcessFacts
{
    /// <summary>Thread group id in the initial pid namespace.</summary>
    public required int Pid { get; init; }

    /// <summary>
    /// Full path of the executable as the process sees it, links resolved; empty where it may not be read.
    /// </summary>
    public string Executable { get; init; } = "";

    /// <summary>The arguments joined by single spaces, without the program name (argument 0); empty where they may not be read.</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>Language or runtime; needed only where <see cref="SelectionRules.NeedsLanguage"/> says so.</summary>
    public ProcessLanguage Language { get; init; }

    /// <summary>Local TCP ports on which the process listens or has served.</summary>
    public IReadOnlyCollection<ushort> ListeningPorts { get; init; } = [];
}
