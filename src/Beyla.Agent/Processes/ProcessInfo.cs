namespace Beyla.Agent.Processes;

/// <summary>What is known of a traced process. Immutable; a new program in the same process makes a new object.</summary>
public sealed record ProcessInfo
{
    /// <summary>Thread group id in the initial pid namespace.</summary>
    public required int Pid { get; init; }

    /// <summary>Full path of the executable as the process sees it; the path given to execve, or empty, where it may not be read.</summary>
    public string Executable { get; init; } = "";

    /// <summary>
    /// OTEL_SERVICE_NAME, service.name of OTEL_RESOURCE_ATTRIBUTES, the name of the selecting rule, else the executable's file name.
    /// </summary>
    public string ServiceName { get; init; } = "";

    /// <summary>service.namespace; may be empty.</summary>
    public string ServiceNamespace { get; init; } = "";

    /// <summary>As <see cref="ProcStat.StartTime"/>: with the pid it names one process since the boot; 0 where nobody looked.</summary>
    public long StartTime { get; init; }

    /// <summary>What else OTEL_RESOURCE_ATTRIBUTES in its environment says of it, in that order, without the two names above.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> ResourceAttributes { get; init; } = [];

    /// <summary>Language or runtime; Generic where nothing tells it.</summary>
    public ProcessLanguage Language { get; init; }

    /// <summary>Which of its traces are exported, as the rule says that selected it; null where that is as for all.</summary>
    public Selection.SamplerConfiguration? Sampler { get; init; }

    /// <summary>What leaves the agent of it.</summary>
    public Selection.ExportedSignals Exports { get; init; } = Selection.ExportedSignals.All;

    /// <summary>Patterns of the paths of its requests, as the rules say; null where that is as for all.</summary>
    public Selection.ServiceRoutes? Routes { get; init; }

    /// <summary>Which groups of metrics it has, as the rules say; null where these are those of all.</summary>
    public Configuration.MetricFeatures? Features { get; init; }

    /// <summary>
    /// Its control group when it was looked at, as <see cref="Linux.ControlGroups.FindGroup(string)"/> gives it; null where nobody asked
    /// (<see cref="ProcessTableOptions.NeedsControlGroup"/>), or it is not known.
    /// </summary>
    public string? ControlGroup { get; init; }
}

/// <summary>
/// Answers who a process is. Called on the tracing thread: dictionary lookups that read nothing and change nothing,
/// but for <see cref="Open"/>.
/// </summary>
public interface IProcessLookup
{
    /// <summary>
    /// A request has begun to come in. A process that serves a selected port, and that nothing is known of, becomes
    /// selected by that; what has to be read of it is read aside, while it works on the answer.
    /// </summary>
    /// <param name="pid">Thread group id in the initial pid namespace.</param>
    /// <param name="servedPort">The local port on which it came.</param>
    void Open(int pid, int servedPort)
    {
    }

    /// <summary>
    /// The traced process, or null when the process is not selected (then its spans are filtered) or <see cref="IsAwaited"/>.
    /// </summary>
    /// <param name="pid">Thread group id in the initial pid namespace.</param>
    ProcessInfo? Find(int pid);

    /// <summary>Whether it is being found out who the process is: its spans have to wait.</summary>
    bool IsAwaited(int pid) => false;

    /// <summary>
    /// Who an awaited process is by what is known so far: for spans that cannot wait longer. Null when not even that
    /// it is selected is known.
    /// </summary>
    ProcessInfo? Guess(int pid) => null;
}
