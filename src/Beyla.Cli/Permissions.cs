using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Processes;

namespace Beyla.Cli;

/// <summary>Which capabilities this process keeps permitted, and how a room raises one around a call.</summary>
internal static class Permissions
{
    /// <summary>
    /// What loading and attaching of programs raises, as far as it is permitted: CAP_SYS_RESOURCE is kept only before kernel 5.11, where
    /// maps count as locked memory and libbpf raises the limit.
    /// </summary>
    public static readonly CapabilitySet Tracing = CapabilitySet.Of(Capability.Bpf, Capability.Perfmon, Capability.SysResource);

    /// <summary><see cref="Tracing"/>, and what packet sockets and traffic control ask for.</summary>
    public static readonly CapabilitySet Flows = Tracing | CapabilitySet.Of(Capability.NetRaw, Capability.NetAdmin);

    /// <summary>What the configuration asks for, as the capability table knows it.</summary>
    public static CapabilityRequest RequestOf(LoadedConfiguration loaded)
    {
        var configuration = loaded.Configuration;
        var features = Feature.None;
        if (configuration.ApplicationEnabled)
        {
            features |= Feature.Application;
            if (configuration.ContextPropagation != ContextPropagation.Disabled)
            {
                features |= Feature.ContextPropagation;
            }

            if ((configuration.ContextPropagation & ContextPropagation.Headers) != 0)
            {
                features |= Feature.GoPropagation;
            }
        }

        if (configuration.Network.Enabled)
        {
            features |= configuration.Network.Source == FlowSource.TrafficControl
                ? Feature.NetworkTrafficControl
                : Feature.NetworkSocketFilter;
            features |= configuration.Network.RequireProcess ? Feature.FlowProcesses : Feature.None;
        }

        features |= configuration.Statistics.Enabled ? Feature.TcpStatistics : Feature.None;
        return new CapabilityRequest(features, configuration.EnforceSysCaps);
    }

    /// <summary>What is set, as variables for a deployment.</summary>
    public static DeploymentSettings SettingsOf(LoadedConfiguration loaded)
    {
        List<(string Name, string Value)> variables = [];
        List<string> elsewhere = [];
        foreach (var setting in loaded.Settings.Where(setting => setting.Origin.Source != SettingSource.Default))
        {
            var name = setting.Key.Variables
                .FirstOrDefault(variable => variable.StartsWith("BEYLA_", StringComparison.Ordinal))
                ?? (setting.Key.Variables is [var other, ..] ? other : null);
            if (name is null || setting.Key.Secret || setting.Text is not { } text || text.Any(char.IsControl))
            {
                elsewhere.Add(setting.Key.Path);
            }
            else
            {
                variables.Add((name, text));
            }
        }

        return new DeploymentSettings(variables, elsewhere);
    }

    /// <summary>Raises what reading /proc of other users needs, for one system call.</summary>
    public sealed class ForProc : IProcPrivilege
    {
        /// <inheritdoc/>
        public ProcPrivileges Held =>
            (Privilege.Permitted.Contains(Capability.SysPtrace) ? ProcPrivileges.Ptrace : 0)
            | (Privilege.Permitted.Contains(Capability.DacReadSearch) ? ProcPrivileges.ReadSearch : 0)
            | (Privilege.Permitted.Contains(Capability.Perfmon) ? ProcPrivileges.PerformanceMonitoring : 0);

        /// <inheritdoc/>
        public int Run(ProcPrivileges needed, in ProcCall systemCall)
        {
            var set = CapabilitySet.None;
            if ((needed & ProcPrivileges.Ptrace) != 0)
            {
                set = set.With(Capability.SysPtrace);
            }

            if ((needed & ProcPrivileges.ReadSearch) != 0)
            {
                set = set.With(Capability.DacReadSearch);
            }

            if ((needed & ProcPrivileges.PerformanceMonitoring) != 0)
            {
                set = set.With(Capability.Perfmon);
            }

            using var raised = Privilege.Raise(set);
            return systemCall.Make();
        }
    }
}
