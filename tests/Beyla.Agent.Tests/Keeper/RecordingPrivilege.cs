using Beyla.Agent.Processes;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>Counts how often a file of a process is opened.</summary>
internal sealed class RecordingPrivilege : IProcPrivilege
{
    public long Calls { get; private set; }

    public ProcPrivileges Held => ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch;

    public int Run(ProcPrivileges needed, in ProcCall systemCall)
    {
        Calls++;
        return systemCall.Make();
    }
}
