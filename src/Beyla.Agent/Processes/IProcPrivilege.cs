namespace Beyla.Agent.Processes;

/// <summary>Capabilities that give access to files of /proc/PID of other users (docs/processes.md).</summary>
[Flags]
public enum ProcPrivileges
{
    /// <summary>No capability.</summary>
    None = 0,

    /// <summary>CAP_SYS_PTRACE: exe, maps, and with <see cref="ReadSearch"/> environ and io.</summary>
    Ptrace = 1,

    /// <summary>CAP_DAC_READ_SEARCH: files whose mode lets only their owner read, fd among them.</summary>
    ReadSearch = 2,

    /// <summary>CAP_PERFMON: maps.</summary>
    PerformanceMonitoring = 4,
}

/// <summary>Holds capabilities while one system call is made. The default does nothing: the process uses what it has.</summary>
public interface IProcPrivilege
{
    /// <summary>Makes those of <paramref name="needed"/> that the agent has effective, makes the call, and lowers them again.</summary>
    /// <param name="needed">What the call may need. Having none of it is no error: the call then answers EACCES or EPERM.</param>
    /// <param name="systemCall">Opens a file, reads one or a link. To be made on the calling thread.</param>
    /// <returns>What the call returned.</returns>
    int Run(ProcPrivileges needed, in ProcCall systemCall);

    /// <summary>Which of them the agent can raise, to tell a missing capability from a refusal that none of them lifts.</summary>
    ProcPrivileges Held => ProcPrivileges.None;
}

/// <summary>Raises nothing.</summary>
public sealed class UnchangedPrivilege : IProcPrivilege
{
    /// <summary>The only one that is needed: it has no state.</summary>
    public static UnchangedPrivilege Instance { get; } = new();

    /// <inheritdoc/>
    public int Run(ProcPrivileges needed, in ProcCall systemCall) => systemCall.Make();
}
