using Beyla.Agent.Linux;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Processes;

/// <summary>What the table holds of a process.</summary>
internal enum ProcessState : byte
{
    /// <summary>Traced.</summary>
    Selected,

    /// <summary>Traced until it is known whether a rule wants it.</summary>
    Pending,

    /// <summary>A rule wants it and an exclusion forbids it: never traced until it ends or runs another program.</summary>
    Excluded,

    /// <summary>Gone; kept for a while, because what it sent last may be read after its end.</summary>
    Exited,
}

/// <summary>One process of the table.</summary>
internal sealed class ProcessEntry
{
    /// <summary>Thread group id in the initial pid namespace.</summary>
    public required int Pid { get; init; }

    /// <summary>When the process was seen in this form, CLOCK_MONOTONIC ns: earlier events are about something before it.</summary>
    public required long Since { get; init; }

    /// <summary>What is decided about it.</summary>
    public required ProcessState State { get; set; }

    /// <summary>Identity; null where the process was never traced.</summary>
    public ProcessInfo? Info { get; set; }

    /// <summary>Ports it listens on, its own and those inherited. Shared with its children, so replaced and never changed.</summary>
    public ushort[] Ports { get; set; } = [];

    /// <summary>A port that a rule names and that it was seen to serve while it was awaited; 0 for none.</summary>
    public ushort ServedPort { get; set; }

    /// <summary>It does not listen on its ports, as far as is known: a socket was passed to it.</summary>
    public bool IsAdopted { get; init; }

    /// <summary>As <see cref="ProcStat.StartTime"/>; 0 where nobody looked.</summary>
    public long StartTime { get; init; }

    /// <summary>
    /// The link of the executable when the process was first looked at, as the kernel writes it; null where it is refused.
    /// </summary>
    public string? Link { get; init; }

    /// <summary>Path given to execve; empty when that was not seen.</summary>
    public string Executed { get; init; } = "";

    /// <summary>The executable, as far as it is known.</summary>
    public string Executable { get; set; } = "";

    /// <summary>The arguments, where a rule asks for them.</summary>
    public string Arguments { get; set; } = "";

    /// <summary>How the process names itself.</summary>
    public ServiceNames Names { get; set; }

    /// <summary>That was seen at execve: what /proc shows later may be something else.</summary>
    public bool HasNames { get; init; }

    /// <summary>Its control group, where that is wanted and known.</summary>
    public string? ControlGroup { get; set; }

    /// <summary>It is not known yet whether a rule wants it. Stays so when it ends before it is known.</summary>
    public bool IsUndecided { get; set; }

    /// <summary>What can be known of it is known; a later look may only find another language.</summary>
    public bool IsIdentified { get; set; }

    /// <summary>It was gone before any look could tell what it ran: whoever inherits from it has to be looked at.</summary>
    public bool IsUnseen { get; set; }

    /// <summary>Its spans wait for what a look will find.</summary>
    public bool IsAwaited { get; set; }

    /// <summary>Number of the inspection that is on its way; 0 for none.</summary>
    public long Look { get; set; }

    /// <summary>What is asked for by a look that has no room yet.</summary>
    public InspectionParts Deferred { get; set; }

    /// <summary>Something happened after the look was asked for, so that another one may find more.</summary>
    public bool Again { get; set; }

    /// <summary>What its file tells of a Go program was asked for.</summary>
    public bool IsGoAsked { get; set; }

    /// <summary>A program has just begun here, and may yet load a runtime.</summary>
    public bool IsFresh { get; init; }

    /// <summary>The process whose identity this one inherits, while that is awaited.</summary>
    public ProcessEntry? Origin { get; set; }

    /// <summary>Those of which this is the <see cref="Origin"/>.</summary>
    public List<ProcessEntry>? Heirs { get; set; }

    /// <summary>Takes over who another process is.</summary>
    public void Inherit(ProcessEntry from)
    {
        Info = from.Info is { } info ? info with { Pid = Pid, StartTime = StartTime } : null;
        (IsUndecided, IsIdentified) = (from.IsUndecided, from.IsIdentified);
        (Executable, Arguments, Names) = (from.Executable, from.Arguments, from.Names);
        if (State == ProcessState.Pending && !IsUndecided)
        {
            State = ProcessState.Selected;
        }
    }
}

/// <summary>What <see cref="ProcessTable"/> takes besides its partners.</summary>
public sealed record ProcessTableOptions
{
    /// <summary>
    /// The name for services that neither their environment nor a rule names (the deprecated <c>service_name</c>);
    /// null for the executable's.
    /// </summary>
    public string? ServiceName { get; init; }

    /// <summary>As <see cref="ServiceName"/>, for the namespace (the deprecated <c>service_namespace</c>).</summary>
    public string? ServiceNamespace { get; init; }

    /// <summary>Processes that are remembered; those beyond are not traced and counted as lost.</summary>
    public int MaximumProcesses { get; init; } = 65536;

    /// <summary>How long an ended process is remembered.</summary>
    public TimeSpan Remember { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the control groups of processes are wanted.</summary>
    public bool NeedsControlGroup { get; init; }

    /// <summary>Called for each process that a rule selects, but not for children that inherit; for the log.</summary>
    public Action<ProcessInfo>? Selected { get; init; }

    /// <summary>Called a while after the end of a traced process, when no more of it can come, or when it runs another program.</summary>
    public Action<ProcessInfo>? Ended { get; init; }

    /// <summary>
    /// The variables that name a service, as they were when the process was started, in the form of /proc/PID/environ;
    /// null where they are not known. Asked before /proc, where a process may show something else by then.
    /// </summary>
    public Func<int, byte[]?>? StartedWith { get; init; }

    /// <summary>From when on <see cref="StartedWith"/> knows all processes that start, in clock ticks after boot.</summary>
    public long StartsSeenFrom { get; init; } = long.MaxValue;

    /// <summary>Called for an executable whose processes have written over their environment; for the log.</summary>
    public Action<string>? NameHidden { get; init; }

    /// <summary>Told how many events of processes were lost since it was last told; for the log.</summary>
    public Action<long>? LostEvents { get; init; }

    /// <summary>Told which traced processes run Go; null when no one asks.</summary>
    public GoProcesses? Go { get; init; }

    /// <summary>Where the names of services are shown to other threads; null when no one looks.</summary>
    public ServiceSnapshot? Services { get; init; }

    /// <summary>CLOCK_MONOTONIC in nanoseconds, as in events.</summary>
    public Func<long> Clock { get; init; } = static () => (long)MonotonicClock.Now;
}
