using Beyla.Agent.Capabilities;

namespace Beyla.Agent.Tests.Capabilities;

/// <summary>The published page, transcribed by hand as an oracle. Knows nothing of the table.</summary>
internal static class SeedPage
{
    /// <summary>"List of capabilities required by Beyla", in the order of the kernel's numbers.</summary>
    internal static readonly Capability[] Nine =
    [
        Capability.DacReadSearch, Capability.NetAdmin, Capability.NetRaw, Capability.SysPtrace, Capability.SysAdmin, Capability.SysResource,
        Capability.Perfmon, Capability.Bpf, Capability.CheckpointRestore,
    ];

    /// <summary>"Internal eBPF tracer capability requirement reference".</summary>
    internal static readonly Dictionary<string, string> Tracers = new()
    {
        ["Socket flow fetcher"] = "CAP_BPF CAP_NET_RAW",
        ["Flow fetcher (tc)"] = "CAP_BPF CAP_NET_ADMIN CAP_PERFMON",
        ["Watcher"] = "CAP_BPF CAP_CHECKPOINT_RESTORE CAP_DAC_READ_SEARCH CAP_PERFMON",
        ["Support for languages other than Go"] =
            "CAP_BPF CAP_DAC_READ_SEARCH CAP_CHECKPOINT_RESTORE CAP_PERFMON CAP_NET_RAW CAP_SYS_PTRACE",
        ["Network monitoring in TC mode and context propagation"] = "CAP_BPF CAP_DAC_READ_SEARCH CAP_PERFMON CAP_NET_ADMIN",
        ["Go tracer"] = "CAP_BPF CAP_DAC_READ_SEARCH CAP_CHECKPOINT_RESTORE CAP_PERFMON CAP_NET_RAW CAP_SYS_PTRACE CAP_SYS_ADMIN",
    };

    /// <summary>"Example scenarios": what the page lists for a configuration on a current kernel.</summary>
    internal static readonly Dictionary<Feature, string> Scenarios = new()
    {
        [Feature.NetworkSocketFilter] = "CAP_BPF CAP_NET_RAW",
        [Feature.NetworkTrafficControl] = "CAP_BPF CAP_NET_ADMIN CAP_PERFMON",
        [Feature.Application] = "CAP_BPF CAP_DAC_READ_SEARCH CAP_CHECKPOINT_RESTORE CAP_PERFMON CAP_NET_RAW CAP_SYS_PTRACE",
        [Feature.Application | Feature.ContextPropagation] =
            "CAP_BPF CAP_DAC_READ_SEARCH CAP_CHECKPOINT_RESTORE CAP_PERFMON CAP_NET_RAW CAP_SYS_PTRACE CAP_NET_ADMIN",
    };

    /// <summary>The kernel's rule for CAP_SYS_ADMIN.</summary>
    private static readonly string[] SysAdminWillDo = ["CAP_BPF", "CAP_PERFMON", "CAP_CHECKPOINT_RESTORE"];

    /// <summary>
    /// What the page lists for a configuration and a kernel: by its scenarios, by "kernels &lt; 5.11" for CAP_SYS_RESOURCE, and by what
    /// kernels before 5.8 have in place of CAP_BPF and CAP_PERFMON and before 5.9 of CAP_CHECKPOINT_RESTORE.
    /// </summary>
    internal static SortedSet<string> Listed(Feature features, int major, int minor)
    {
        var number = (major * 1000) + minor;
        var listed = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (scenario, list) in Scenarios)
        {
            if ((features & scenario) == scenario)
            {
                listed.UnionWith(list.Split(' '));
            }
        }

        if ((features & Feature.GoPropagation) != 0 || (features & Feature.BpfMetrics) != 0)
        {
            listed.Add("CAP_SYS_ADMIN");
        }

        if (number < 5011)
        {
            listed.Add("CAP_SYS_RESOURCE");
        }

        if (number < 5009)
        {
            listed.Remove("CAP_CHECKPOINT_RESTORE");
        }

        if (number < 5008)
        {
            listed.Remove("CAP_BPF");
            listed.Remove("CAP_PERFMON");
            listed.Add("CAP_SYS_ADMIN");
        }

        return listed;
    }

    /// <summary>
    /// What the report has to say of each of the nine, when the process holds these: <c>missing</c>, <c>granted</c>,
    /// <c>by CAP_SYS_ADMIN</c>, <c>not required</c>, or <c>unknown</c> for what a user namespace of its own leaves open; with
    /// <c>listed</c> where the warning is about it.
    /// </summary>
    internal static IEnumerable<string> Verdicts(
        Feature features, int major, int minor, Func<Capability, bool> holds, bool initialNamespace)
    {
        var listed = Listed(features, major, minor);
        // Beyond the page: this agent also names the process of a flow, by a tracing program, and its service, by its files.
        string[] useful = (features & (Feature.NetworkSocketFilter | Feature.NetworkTrafficControl)) == 0 ? []
            : (major, minor).CompareTo((5, 8)) >= 0 ? ["CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"]
            : ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"];
        foreach (var capability in Nine)
        {
            var name = NameOf(capability);
            if (!listed.Contains(name) && !useful.Contains(name))
            {
                yield return $"{name} not required";
                continue;
            }

            var own = holds(capability);
            var either = own || (holds(Capability.SysAdmin) && SysAdminWillDo.Contains(name));
            // In a namespace of its own only what belongs to that namespace asks there: files of its processes, its packet sockets.
            var local = name is "CAP_DAC_READ_SEARCH" or "CAP_SYS_PTRACE" or "CAP_NET_RAW";
            var verdict = !either || (!initialNamespace && !local) ? "missing"
                : !initialNamespace ? "unknown" : own ? "granted" : "by CAP_SYS_ADMIN";
            yield return $"{name} {verdict}{(listed.Contains(name) ? " listed" : "")}";
        }
    }

    private static string NameOf(Capability capability) => capability switch
    {
        Capability.DacReadSearch => "CAP_DAC_READ_SEARCH",
        Capability.NetAdmin => "CAP_NET_ADMIN",
        Capability.NetRaw => "CAP_NET_RAW",
        Capability.SysPtrace => "CAP_SYS_PTRACE",
        Capability.SysAdmin => "CAP_SYS_ADMIN",
        Capability.SysResource => "CAP_SYS_RESOURCE",
        Capability.Perfmon => "CAP_PERFMON",
        Capability.Bpf => "CAP_BPF",
        _ => "CAP_CHECKPOINT_RESTORE",
    };
}
