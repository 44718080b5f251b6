namespace Beyla.Agent.Processes;

/// <summary>What the table holds of a process.</summary>
internal enum ProcessState : byte
{
    /// <summary>Traced.</summary>
    Selected,

    /// <summary>A rule wants it and an exclusion forbids it: never traced until it ends or runs another program.</summary>
    Excluded,

    /// <summary>Gone; kept for a while, because what it sent last may be read after its end.</summary>
    Exited,
}

/// <summary>One process of the table.</summary>
internal sealed class ProcessEntry
{
    public required int Pid { get; init; }

    /// <summary>When the process was seen in this form, CLOCK_MONOTONIC ns: earlier events are about something before it.</summary>
    public required long Since { get; init; }

    public required ProcessState State { get; set; }

    /// <summary>Identity; null where the process was never traced.</summary>
    public ProcessInfo? Info { get; set; }

    /// <summary>Ports it listens on, its own and those inherited. Shared with its children, so replaced and never changed.</summary>
    public ushort[] Ports { get; set; } = [];
}

/// <summary>What <see cref="ProcessTable"/> takes besides its partners.</summary>
public sealed record ProcessTableOptions
{
    /// <summary>The name for services that neither their environment nor a rule names (the deprecated <c>service_name</c>); null for the executable's.</summary>
    public string? ServiceName { get; init; }

    /// <summary>As <see cref="ServiceName"/>, for the namespace (the deprecated <c>service_namespace</c>).</summary>
    public string? ServiceNamespace { get; init; }

    /// <summary>Processes that are remembered; those beyond are not traced and counted as lost.</summary>
    public int MaximumProcesses { get; init; } = 65536;

    /// <summary>How long an ended process is remembered.</summary>
    public TimeSpan Remember { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Told of each process that is selected by a rule, but not of children that inherit; for the log.</summary>
    public Action<ProcessInfo>? Selected { get; init; }

    /// <summary>
    /// The variables that name a service, as they were when the process was started, in the form of /proc/PID/environ; null where they are not
    /// known. Asked before /proc, where a process may show something else by then.
    /// </summary>
    public Func<int, byte[]?>? StartedWith { get; init; }

    /// <summary>From when on <see cref="StartedWith"/> knows all processes that start, in clock ticks after boot.</summary>
    public long StartsSeenFrom { get; init; } = long.MaxValue;

    /// <summary>Told of an executable whose processes have written over their environment; for the log.</summary>
    public Action<string>? NameHidden { get; init; }

    /// <summary>Told how many events of processes were lost since it was last told; for the log.</summary>
    public Action<long>? LostEvents { get; init; }
    /// <summary>Where the names of services are shown to other threads; null when no one looks.</summary>
    public ServiceSnapshot? Services { get; init; }

    /// <summary>CLOCK_MONOTONIC in nanoseconds, as in events.</summary>
    public Func<long> Clock { get; init; } = static () => System.Diagnostics.Stopwatch.GetTimestamp();
}
