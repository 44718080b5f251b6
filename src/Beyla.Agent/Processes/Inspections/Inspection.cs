using Beyla.Agent.Processes.Inspections.Go;

namespace Beyla.Agent.Processes.Inspections;

/// <summary>What a look at a process is to find out.</summary>
[Flags]
public enum InspectionParts
{
    /// <summary>Nothing but whether the process is there.</summary>
    None = 0,

    /// <summary>The arguments.</summary>
    Arguments = 1,

    /// <summary>How the process names itself in its environment.</summary>
    Names = 2,

    /// <summary>Language or runtime.</summary>
    Language = 4,

    /// <summary>The TCP ports on which it listens.</summary>
    Ports = 8,

    /// <summary>Nothing else where it listens on none.</summary>
    OnlyWithPorts = 16,

    /// <summary>Of a Go program: where it keeps its goroutines. Asked for alone.</summary>
    Go = 32,

    /// <summary>The control group.</summary>
    ControlGroup = 64,
}

/// <summary>A look at a process that a thread aside takes, since it may have to wait for files and memory of others.</summary>
public sealed record Inspection
{
    /// <summary>Tells it from other inspections.</summary>
    public required long Number { get; init; }

    /// <summary>Thread group id in the initial pid namespace.</summary>
    public required int Pid { get; init; }

    /// <summary>As <see cref="ProcStat.StartTime"/>: with the pid it names one process.</summary>
    public required long StartTime { get; init; }

    /// <summary>Real user id of the process: no user's inspections hold up those of another.</summary>
    public uint User { get; init; }

    /// <summary>
    /// The link of the executable when the look was asked for; null where it is refused. Another one then means another program.
    /// </summary>
    public string? Link { get; init; }

    /// <summary>Path given to execve, where it is known: used when the executable may not be read.</summary>
    public string Executed { get; init; } = "";

    /// <summary>What the look is to find out.</summary>
    public InspectionParts Parts { get; init; }
}

/// <summary>What was found.</summary>
public sealed record InspectionResult
{
    /// <summary>The inspection that this answers.</summary>
    public required Inspection Of { get; init; }

    /// <summary>The process had ended, or ran another program, before it could be looked at.</summary>
    public bool IsGone { get; init; }

    /// <summary>
    /// Everything that was asked for was looked at. If not, a file system or the process itself made the look last too long.
    /// </summary>
    public bool IsWhole { get; init; }

    /// <summary>Full path of the executable as the process sees it; empty where nothing tells it.</summary>
    public string Executable { get; init; } = "";

    /// <summary>Arguments joined by spaces, without the program name.</summary>
    public string Arguments { get; init; } = "";

    /// <summary>How the process names itself in its environment; default where that was not asked for or not readable.</summary>
    public ServiceNames Names { get; init; }

    /// <summary>Language or runtime; Generic where nothing tells it or it was not asked for.</summary>
    public ProcessLanguage Language { get; init; }

    /// <summary>The TCP ports on which it listens; empty where that was not asked for.</summary>
    public IReadOnlyList<ushort> Ports { get; init; } = [];

    /// <summary>
    /// The control group as <see cref="Linux.ControlGroups.FindGroup(string)"/> gives it; null also where that was not asked for.
    /// </summary>
    public string? ControlGroup { get; init; }

    /// <summary>What the file of a Go program tells of it; null where that was not asked for, or the file may not be read.</summary>
    public GoExecutable? Go { get; init; }

    /// <summary>
    /// What is known without a look at any file: the path that the kernel or execve told, and the language that its name tells.
    /// </summary>
    internal static InspectionResult Without(Inspection inspection, bool isGone)
    {
        var executable = inspection.Link is not { Length: > 0 } link ? inspection.Executed : ProcReader.WithoutDeletedMark(link);
        return new InspectionResult
        {
            Of = inspection, IsGone = isGone, IsWhole = isGone, Executable = executable,
            Language = LanguageDetector.FromName(ServiceNames.FileName(executable)),
        };
    }
}

/// <summary>
/// Takes inspections and gives back what they found. One thread, the event loop; none of the members waits for a
/// process or a file system.
/// </summary>
public interface IInspections
{
    /// <summary>Asks for a look. False when there is no room now: it has to be asked for later.</summary>
    bool TrySubmit(Inspection inspection);

    /// <summary>Takes one result; false when there is none at this moment.</summary>
    bool TryTake(out InspectionResult result);

    /// <summary>Time passes: ends the waiting for looks that last too long.</summary>
    void Watch();

    /// <summary>Waits until there is a result, for at most this long.</summary>
    void Wait(TimeSpan limit);
}

/// <summary>Takes one look. One thread aside for each object.</summary>
internal interface IInspector
{
    /// <summary>Looks now, within the limits of one look. May wait for files and memory of the process.</summary>
    InspectionResult Inspect(Inspection inspection);
}
