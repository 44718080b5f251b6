using System.Globalization;

namespace Beyla.Agent.Capabilities;

/// <summary>Judges host and process settings that decide what capabilities are worth.</summary>
internal static class HostSettings
{
    private const string Paranoid = "kernel.perf_event_paranoid";
    private const int ParanoidLimit = 2;

    private static readonly Version Oldest = new(5, 8);

    /// <summary>How to change kernel.perf_event_paranoid, by platform.</summary>
    internal static IReadOnlyList<string> ParanoidFixes { get; } =
    [
        $"sudo sysctl -w {Paranoid}={ParanoidLimit}; to keep it: echo '{Paranoid}={ParanoidLimit}' | sudo tee /etc/sysctl.d/90-beyla.conf",
        $"AKS: linuxosconfig.json {{\"sysctls\": {{\"{Paranoid}\": \"{ParanoidLimit}\"}}}} "
            + "with az aks create --linux-os-config linuxosconfig.json",
        $"EKS Anywhere: spec.hostOSConfiguration.kernel.sysctlSettings {{{Paranoid}: \"{ParanoidLimit}\"}} in VSphereMachineConfig",
        $"EKS with Bottlerocket: nodeGroups[].bottlerocket.settings.kernel.sysctl {{{Paranoid}: \"{ParanoidLimit}\"}} in ClusterConfig",
    ];

    /// <summary>Says of each fact of the host whether it is as the request needs it, and what to do where it is not.</summary>
    internal static IReadOnlyList<HostSetting> Judge(CapabilityRequest request, HostFacts facts) =>
    [
        Kernel(facts), TypeInformation(facts), User(facts), UserNamespace(facts), .. Sets(request, facts),
        NoNewPrivileges(facts), AgentFile(facts), PerfEventParanoid(facts),
        UnprivilegedBpf(facts), Lockdown(request, facts), Seccomp(facts),
        Mount("cgroup v2", facts.Cgroup2), Mount("tracefs", facts.Tracefs), Mount("bpf file system", facts.BpfFilesystem),
    ];

    private static HostSetting Kernel(HostFacts facts) => facts.Kernel >= Oldest
        ? Setting("kernel", facts.KernelRelease, HostVerdict.Good, "")
        : Setting("kernel", facts.KernelRelease, HostVerdict.Wrong, "ring buffers and CAP_BPF came with kernel 5.8", "use a newer kernel");

    private static HostSetting TypeInformation(HostFacts facts) => facts.TypeInformation switch
    {
        true => Setting("BTF", "/sys/kernel/btf/vmlinux", HostVerdict.Good, ""),
        false => Setting("BTF", "absent", HostVerdict.Wrong,
            "tracing programs find kernel structures by it", "use a kernel built with CONFIG_DEBUG_INFO_BTF=y"),
        null => Unreadable("BTF"),
    };

    private static HostSetting User(HostFacts facts) =>
        Setting(
            "user", facts.User is { } user ? user.ToString(CultureInfo.InvariantCulture) : "an ordinary one", HostVerdict.Good, "");

    /// <summary>The five sets as the process was started with them (capabilities(7)).</summary>
    private static IEnumerable<HostSetting> Sets(CapabilityRequest request, HostFacts facts)
    {
        var sets = facts.Capabilities;
        var all = new CapabilitySet(
            facts.LastCapability is { } last and >= 0 and < 63
                ? (1UL << (last + 1)) - 1
                : (1UL << CapabilityNames.Count) - 1);
        var outside = CapabilityCheck.Needed(request, facts.Kernel).Except(sets.Bounding | sets.Permitted);
        yield return Set("effective set", sets.Effective);
        yield return Set("permitted set", sets.Permitted);
        yield return Set("inheritable set", sets.Inheritable);
        yield return outside.IsEmpty
            ? Set("bounding set", sets.Bounding)
            : Set("bounding set", sets.Bounding)
                with { Verdict = HostVerdict.Notice, Meaning = $"excludes {outside}: no file capabilities can give it here" };
        yield return Set("ambient set", sets.Ambient);

        HostSetting Set(string name, CapabilitySet set)
        {
            var absent = all.Except(set);
            // Nearly everything is told by what is not there.
            var value = set.Count <= 12 ? set.ToString() : absent.IsEmpty ? "all" : $"all but {absent}";
            return Setting(name, value, HostVerdict.Good, "");
        }
    }

    private static HostSetting UserNamespace(HostFacts facts) => facts.InitialUserNamespace switch
    {
        true => Setting("user namespace", "initial", HostVerdict.Good, ""),
        false => Setting("user namespace", "not the initial one", HostVerdict.Wrong,
            "the kernel accepts CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN for eBPF only in the initial user namespace",
            "start it in the initial user namespace"),
        null => Unreadable("user namespace"),
    };

    private static HostSetting NoNewPrivileges(HostFacts facts) => facts.NoNewPrivileges switch
    {
        null => Unreadable("no_new_privs"),
        true when facts.AgentFile is not null => Setting("no_new_privs", "yes", HostVerdict.Wrong,
            "set when the agent was started, so its file capabilities were ignored",
            "start it without no_new_privs, or give it ambient capabilities (beyla capability export --format systemd)"),
        var set => Setting("no_new_privs", set == true ? "yes" : "no", HostVerdict.Good, ""),
    };

    private static HostSetting AgentFile(HostFacts facts) => facts switch
    {
        { AgentFile: null } => Setting("file capabilities", "none", HostVerdict.Good, ""),
        { AgentOnNosuid: true } => Setting("file capabilities", facts.AgentFile.ToString(), HostVerdict.Wrong,
            "ignored on a file system mounted nosuid",
            "put the agent on another file system"),
        _ => Setting("file capabilities", facts.AgentFile.ToString(), HostVerdict.Good, ""),
    };

    private static HostSetting PerfEventParanoid(HostFacts facts) => facts.PerfEventParanoid switch
    {
        null => Unreadable(Paranoid),
        > ParanoidLimit and { } value => Setting(Paranoid, Number(value), HostVerdict.Notice,
            "above 2, kernels of some distributions refuse perf events without CAP_SYS_ADMIN; this agent opens none, "
                + "so CAP_PERFMON suffices and nothing has to change",
            [.. ParanoidFixes]),
        { } value => Setting(Paranoid, Number(value), HostVerdict.Good, ""),
    };

    private static HostSetting UnprivilegedBpf(HostFacts facts) => facts.UnprivilegedBpfDisabled switch
    {
        null => Unreadable("kernel.unprivileged_bpf_disabled"),
        0 => Setting("kernel.unprivileged_bpf_disabled", "0", HostVerdict.Notice,
            "any user may load eBPF socket filters; the agent does not need that",
            "sudo sysctl -w kernel.unprivileged_bpf_disabled=2"),
        { } value => Setting("kernel.unprivileged_bpf_disabled", Number(value), HostVerdict.Good, ""),
    };

    private static HostSetting Lockdown(CapabilityRequest request, HostFacts facts)
    {
        var tracing = (request.Features & (Feature.Application | Feature.ContextPropagation)) != 0;
        return facts.Lockdown switch
        {
            null => Setting("lockdown", "", HostVerdict.Unknown,
                "/sys/kernel/security/lockdown is not there: securityfs is not mounted, or the kernel has no lockdown"),
            "confidentiality" => Setting("lockdown", "confidentiality", tracing ? HostVerdict.Wrong : HostVerdict.Notice,
                "refuses tracing programs that read kernel memory: no spans, and flows without processes",
                "start the kernel with lockdown=integrity"),
            "integrity" when request.Features.HasFlag(Feature.GoPropagation) => Setting("lockdown", "integrity", HostVerdict.Notice,
                "refuses programs that write into processes: no headers are written into requests of Go programs"),
            "integrity" => Setting("lockdown", "integrity", HostVerdict.Good,
                "refuses only programs that write into processes, and here the agent has none"),
            var value => Setting("lockdown", value, HostVerdict.Good, ""),
        };
    }

    private static HostSetting Seccomp(HostFacts facts) => facts.SeccompFilter switch
    {
        true => Setting("seccomp", "filter", HostVerdict.Notice,
            "a filter may refuse bpf(2) or socket(2) whatever the capabilities; --probe tells"),
        false => Setting("seccomp", "none", HostVerdict.Good, ""),
        null => Unreadable("seccomp"),
    };

    private static HostSetting Mount(string name, string? path) => path switch
    {
        null => Unreadable(name),
        "" => Setting(name, "not mounted", HostVerdict.Good, "the agent does not use it"),
        _ => Setting(name, path, HostVerdict.Good, "the agent does not use it"),
    };

    private static HostSetting Unreadable(string name) => Setting(name, "", HostVerdict.Unknown, "could not be read");

    private static HostSetting Setting(string name, string value, HostVerdict verdict, string meaning, params string[] fix) =>
        new() { Name = name, Value = value, Verdict = verdict, Meaning = meaning, Fix = fix };

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
