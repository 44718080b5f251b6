using System.Management.Automation;
using System.Management.Automation.Runspaces;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell;

/// <summary>
/// Ends with the module what the module started in the runspace that removes it. Importing starts nothing, so there
/// is nothing to do then.
/// </summary>
public sealed class ModuleLifetime : IModuleAssemblyCleanup
{
    /// <inheritdoc/>
    public void OnRemove(PSModuleInfo psModuleInfo) => LiveAgents.StopAll(Runspace.DefaultRunspace?.InstanceId ?? Guid.Empty);
}
