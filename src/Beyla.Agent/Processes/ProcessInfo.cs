namespace Beyla.Agent.Processes;

/// <summary>What is known of a traced process. Immutable; a new program in the same process makes a new object.</summary>
public sealed record ProcessInfo
{
    /// <summary>Thread group id in the initial pid namespace.</summary>
    public required int Pid { get; init; }

    /// <summary>Full path of the executable as the process sees it; the path given to execve, or empty, where it may not be read.</summary>
    public string Executable { get; init; } = "";

    /// <summary>OTEL_SERVICE_NAME, service.name of OTEL_RESOURCE_ATTRIBUTES, the name of the selecting rule, else the executable's file name.</summary>
    public string ServiceName { get; init; } = "";

    /// <summary>service.namespace; may be empty.</summary>
    public string ServiceNamespace { get; init; } = "";

    public ProcessLanguage Language { get; init; }
}

/// <summary>Answers who a process is. Called on the tracing thread for each span: a dictionary lookup, no system call.</summary>
public interface IProcessLookup
{
    /// <summary>The traced process, or null when the process is not selected (then its spans are filtered).</summary>
    /// <param name="pid">Thread group id in the initial pid namespace.</param>
    /// <param name="servedPort">The local port when the process was the server of an exchange, else 0: a process that serves a selected port becomes selected by that.</param>
    ProcessInfo? Find(int pid, int servedPort);
}
