namespace Beyla.Agent.Processes;

/// <summary>Which link of /proc/PID is read.</summary>
public enum ProcessLink
{
    /// <summary>exe: the executable.</summary>
    Executable = 1,

    /// <summary>ns/user: the user namespace.</summary>
    UserNamespace = 2,
}
