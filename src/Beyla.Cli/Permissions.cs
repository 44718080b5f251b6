using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Processes;

namespace Beyla.Cli;

/// <summary>Which capabilities this process keeps permitted, and how a room raises one around a call.</summary>
internal static class Permissions
{
    /// <summary>All that any configuration or command can use.</summary>
    public static CapabilitySet ForAnyConfiguration { get; } = CapabilitySet.Of(
        Capability.DacReadSearch, Capability.NetAdmin, Capability.NetRaw, Capability.SysPtrace, Capability.SysAdmin, Capability.SysResource,
        Capability.Perfmon, Capability.Bpf, Capability.CheckpointRestore, Capability.Setfcap, Capability.DacOverride, Capability.Fowner);

    /// <summary>What the configuration asks for, as the capability table knows it.</summary>
    public static CapabilityRequest RequestOf(AgentConfiguration configuration)
    {
        var features = Feature.None;
        if (configuration.ApplicationEnabled)
        {
            features |= Feature.Application;
        }

        if (configuration.Network.Enabled)
        {
            features |= configuration.Network.Source == FlowSource.Tc ? Feature.NetworkTrafficControl : Feature.NetworkSocketFilter;
        }

        return new CapabilityRequest(features);
    }

    /// <summary>Raises what reading /proc of other users needs, for one system call.</summary>
    public sealed class ForProc : IProcPrivilege
    {
        public int Run(ProcPrivileges needed, Func<int> systemCall)
        {
            var set = CapabilitySet.None;
            if (needed.HasFlag(ProcPrivileges.Ptrace))
            {
                set = set.With(Capability.SysPtrace);
            }

            if (needed.HasFlag(ProcPrivileges.ReadSearch))
            {
                set = set.With(Capability.DacReadSearch);
            }

            if (needed.HasFlag(ProcPrivileges.PerformanceMonitoring))
            {
                set = set.With(Capability.Perfmon);
            }

            using var raised = Privilege.Raise(set);
            return systemCall();
        }
    }
}
