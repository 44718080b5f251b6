using Beyla.Agent.Capabilities;

namespace Beyla.Agent.Tests.Capabilities;

public class CapabilityCheckTests
{
    private static readonly CapabilitySet Everything = new((1UL << 41) - 1);

    private static readonly (int Major, int Minor)[] Kernels = [(5, 7), (5, 8), (5, 9), (5, 10), (5, 11), (6, 12)];

    public static TheoryData<int> Modes()
    {
        // Every configuration that can be asked for: each network source or none, application, propagation with it, and the two extras.
        const Feature Sources = Feature.NetworkSocketFilter | Feature.NetworkTrafficControl;
        var data = new TheoryData<int>();
        for (var bits = 1; bits < 64; bits++)
        {
            var features = (Feature)bits;
            var bothSources = (features & Sources) == Sources;
            var application = (features & Feature.Application) != 0;
            var network = (features & Sources) != 0;
            if (!bothSources && (application || network)
                && (application || (features & (Feature.ContextPropagation | Feature.GoPropagation)) == 0))
            {
                data.Add(bits);
            }
        }

        return data;
    }

    /// <summary>Each of the 512 subsets, on each kernel, at each setting that the page or the kernel connects with capabilities.</summary>
    [Theory]
    [MemberData(nameof(Modes))]
    public void Every_subset_agrees_with_the_page(int features)
    {
        var request = new CapabilityRequest((Feature)features);
        var settings = Settings().ToList();
        foreach (var (major, minor) in Kernels)
        {
            for (var subset = 0; subset < 1 << SeedPage.Nine.Length; subset++)
            {
                var held = Subset(subset);
                foreach (var (apply, verdicts) in settings)
                {
                    var facts = apply(Facts(held, new Version(major, minor, 0)));
                    string[] expected =
                        [.. SeedPage.Verdicts((Feature)features, major, minor, held.Contains, facts.InitialUserNamespace == true)];
                    var report = CapabilityCheck.Evaluate(request, facts);
                    if (!report.Requirements.Select(Verdict).SequenceEqual(expected))
                    {
                        Assert.Fail($"{request.Features} on {major}.{minor} with {held}: "
                            + $"{string.Join(", ", report.Requirements.Select(Verdict))}, not {string.Join(", ", expected)}");
                    }

                    string[] missing = [.. expected.Where(verdict => verdict.EndsWith(" missing listed", StringComparison.Ordinal))
                        .Select(verdict => verdict.Split(' ')[0])];
                    if (!report.MissingDocumented().Select(capability => capability.Name()).SequenceEqual(missing)
                        || report.DocumentedPresent != (missing.Length == 0))
                    {
                        Assert.Fail(
                            $"{request.Features} on {major}.{minor} with {held}: the warning is not about {string.Join(", ", missing)}");
                    }

                    var application = ((Feature)features & Feature.Application) != 0;
                    var writes = ((Feature)features & Feature.GoPropagation) != 0;
                    foreach (var (name, value) in verdicts(application))
                    {
                        // Lockdown refuses what writes into processes (LOCKDOWN_BPF_WRITE_USER), and nothing else at this level.
                        var verdict = name == "lockdown" && writes && facts.Lockdown == "integrity" ? HostVerdict.Notice : value;
                        Assert.Equal(verdict, report.Host.First(host => host.Name == name).Verdict);
                    }
                }
            }
        }
    }

    [Fact]
    public void Tracers_list_what_the_reference_lists()
    {
        foreach (var (tracer, expected) in SeedPage.Tracers)
        {
            var rows = CapabilityTable.Rows.Where(row => row.Tracer.Name() == tracer && row.InReference)
                .Select(row => row.Capability.Name()).Order();
            Assert.Equal(expected.Split(' ').Order(), rows);
        }
    }

    [Fact]
    public void Scenarios_list_what_the_page_lists()
    {
        Assert.Equal(SeedPage.Scenarios.Keys, Scenario.All.Select(scenario => scenario.Features));
        foreach (var (features, expected) in SeedPage.Scenarios)
        {
            var documented = CapabilityCheck.Documented(new CapabilityRequest(features), new Version(6, 12));
            Assert.Equal(expected.Split(' ').Order(), documented.Members().Select(capability => capability.Name()).Order());
        }
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void What_is_needed_is_listed_too(int features)
    {
        foreach (var (major, minor) in Kernels)
        {
            var request = new CapabilityRequest((Feature)features);
            var kernel = new Version(major, minor);
            Assert.True(
                CapabilityCheck.Documented(request, kernel).ContainsAll(CapabilityCheck.Needed(request, kernel)),
                $"{request.Features} on {kernel}");
        }
    }

    [Fact]
    public void Needed_sets_are_the_measured_ones()
    {
        Assert.Equal("CAP_NET_RAW, CAP_BPF", Needed(Feature.NetworkSocketFilter));
        Assert.Equal("CAP_NET_ADMIN, CAP_BPF", Needed(Feature.NetworkTrafficControl));
        Assert.Equal("CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF", Needed(Feature.Application));
        Assert.Equal(
            "CAP_DAC_READ_SEARCH, CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF",
            Needed(Feature.Application | Feature.ContextPropagation));

        static string Needed(Feature features) => CapabilityCheck.Needed(new CapabilityRequest(features), new Version(6, 12)).ToString();
    }

    [Fact]
    public void Sys_admin_alone_stands_in_for_three_and_no_more()
    {
        var report = CapabilityCheck.Evaluate(
            new CapabilityRequest(Feature.Application | Feature.ContextPropagation),
            Facts(CapabilitySet.Of(Capability.SysAdmin), new Version(6, 12)));
        Assert.Equal(
            ["CAP_DAC_READ_SEARCH", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_PTRACE"],
            report.MissingDocumented().Select(capability => capability.Name()));
        foreach (var requirement in report.Requirements.Where(requirement => requirement.State == CapabilityState.GrantedByOther))
        {
            Assert.Equal(Capability.SysAdmin, requirement.GrantedBy);
            Assert.Contains("CAP_SYS_ADMIN", requirement.Evidence, StringComparison.Ordinal);
        }

        Assert.Equal(
            CapabilityState.NotRequired, report.Requirements.Single(requirement => requirement.Capability == Capability.SysAdmin).State);
        Assert.Equal(3, report.Requirements.Count(requirement => requirement.State == CapabilityState.GrantedByOther));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Paranoia_about_perf_events_asks_for_nothing_more(int paranoid)
    {
        var request = new CapabilityRequest(Feature.Application);
        var facts = Facts(CapabilityCheck.Documented(request, new Version(6, 12)), new Version(6, 12))
            with { PerfEventParanoid = paranoid };
        var report = CapabilityCheck.Evaluate(request, facts);
        Assert.True(report.DocumentedPresent);
        Assert.True(StartupCheck.MayStart(report, enforce: true, out var lines));
        Assert.Empty(lines);
        var setting = report.Host.Single(setting => setting.Name == "kernel.perf_event_paranoid");
        Assert.Equal(paranoid > 2 ? HostVerdict.Notice : HostVerdict.Good, setting.Verdict);
        Assert.Equal(paranoid > 2 ? 4 : 0, setting.Fix.Count);
        Assert.All(setting.Fix, fix => Assert.Contains("kernel.perf_event_paranoid", fix, StringComparison.Ordinal));
    }

    [Fact]
    public void Another_user_namespace_makes_held_capabilities_worthless_or_doubtful()
    {
        var report = CapabilityCheck.Evaluate(
            new CapabilityRequest(Feature.Application), Facts(Everything, new Version(6, 12)) with { InitialUserNamespace = false });
        Assert.Equal(
            [Capability.Perfmon, Capability.Bpf, Capability.CheckpointRestore], report.MissingDocumented());
        Assert.Equal(
            CapabilityState.Unknown, report.Requirements.Single(requirement => requirement.Capability == Capability.SysPtrace).State);
        Assert.Contains(report.Host, setting => setting is { Name: "user namespace", Verdict: HostVerdict.Wrong });
    }

    [Fact]
    public void A_bounding_set_that_excludes_names_the_way_out()
    {
        var bounding = Everything.Except(CapabilitySet.Of(Capability.Bpf));
        var facts = Facts(CapabilitySet.None, new Version(6, 12));
        facts = facts with { Capabilities = facts.Capabilities with { Bounding = bounding } };
        var requirements = CapabilityCheck.Evaluate(new CapabilityRequest(Feature.NetworkSocketFilter), facts).Requirements;
        Assert.Contains(
            "--cap-add BPF", requirements.Single(requirement => requirement.Capability == Capability.Bpf).Fix, StringComparison.Ordinal);
        // The rest can be given, and only the rest.
        Assert.Equal("sudo setcap cap_net_raw=p '/opt/a b/beyla'",
            requirements.Single(requirement => requirement.Capability == Capability.NetRaw).Fix);
    }

    [Theory]
    [InlineData(Capability.Perfmon, false, "cap_dac_read_search,cap_net_admin,cap_sys_ptrace,cap_perfmon,cap_bpf=p")]
    [InlineData(Capability.NetRaw, false,
        "cap_dac_read_search,cap_net_admin,cap_net_raw,cap_sys_ptrace,cap_perfmon,cap_bpf,cap_checkpoint_restore=p")]
    [InlineData(Capability.Perfmon, true,
        "cap_dac_read_search,cap_net_admin,cap_net_raw,cap_sys_ptrace,cap_perfmon,cap_bpf,cap_checkpoint_restore=p")]
    public void The_remedy_names_what_the_file_carries_for_another_use(Capability missing, bool enforce, string expected)
    {
        var carried = CapabilitySet.Of(Capability.Bpf, Capability.NetAdmin);
        var facts = Facts(carried, new Version(6, 12))
            with { AgentFile = new FileCapabilities(carried, CapabilitySet.None, Effective: true) };
        var report = CapabilityCheck.Evaluate(new CapabilityRequest(Feature.Application, enforce), facts);
        Assert.Equal(
            $"sudo setcap {expected} '/opt/a b/beyla'", report.Requirements.Single(requirement => requirement.Capability == missing).Fix);
    }

    [Fact]
    public void File_capabilities_that_were_ignored_are_explained()
    {
        var file = new FileCapabilities(CapabilitySet.Of(Capability.Bpf, Capability.NetRaw), CapabilitySet.None, Effective: false);
        var facts = Facts(CapabilitySet.None, new Version(6, 12)) with { AgentFile = file, NoNewPrivileges = true };
        var report = CapabilityCheck.Evaluate(new CapabilityRequest(Feature.NetworkSocketFilter), facts);
        var bpf = report.Requirements.Single(requirement => requirement.Capability == Capability.Bpf);
        Assert.Contains("no_new_privs", bpf.Evidence, StringComparison.Ordinal);
        Assert.Contains("AmbientCapabilities", bpf.Fix, StringComparison.Ordinal);
        Assert.Contains(report.Host, setting => setting is { Name: "no_new_privs", Verdict: HostVerdict.Wrong });
    }

    [Fact]
    public void What_is_kept_after_the_start_is_what_can_be_used()
    {
        var request = new CapabilityRequest(Feature.Application);
        Assert.Equal(
            "CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF",
            CapabilityCheck.Usable(request, Facts(Everything, new Version(6, 12))).ToString());
        Assert.True(CapabilityCheck.Usable(request, Facts(CapabilitySet.Of(Capability.SysAdmin), new Version(6, 12)))
            .Contains(Capability.SysAdmin));
        Assert.Equal("CAP_DAC_READ_SEARCH, CAP_NET_RAW, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF",
            CapabilityCheck.Usable(new CapabilityRequest(Feature.NetworkSocketFilter), Facts(Everything, new Version(6, 12))).ToString());
    }

    internal static HostFacts Facts(CapabilitySet permitted, Version kernel) => new()
    {
        Capabilities = new ProcessCapabilities(permitted, permitted, CapabilitySet.None, Everything, CapabilitySet.None),
        Kernel = kernel,
        KernelRelease = kernel.ToString(),
        LastCapability = 40,
        User = 1000,
        InitialUserNamespace = true,
        TypeInformation = true,
        PerfEventParanoid = 2,
        UnprivilegedBpfDisabled = 2,
        Lockdown = "none",
        Cgroup2 = "/sys/fs/cgroup",
        Tracefs = "/sys/kernel/tracing",
        BpfFilesystem = "/sys/fs/bpf",
        SeccompFilter = false,
        NoNewPrivileges = false,
        AgentPath = "/opt/a b/beyla",
        AgentOnNosuid = false,
    };

    private static CapabilitySet Subset(int bits)
    {
        var set = CapabilitySet.None;
        for (var i = 0; i < SeedPage.Nine.Length; i++)
        {
            set = (bits & (1 << i)) != 0 ? set.With(SeedPage.Nine[i]) : set;
        }

        return set;
    }

    private static string Verdict(CapabilityRequirement requirement) => $"{requirement.Capability.Name()} " + requirement.State switch
    {
        CapabilityState.NotRequired => "not required",
        CapabilityState.GrantedByOther => $"by {requirement.GrantedBy?.Name()}",
        var state => state.ToString().ToLowerInvariant(),
    } + (requirement.Documented ? " listed" : "");

    // Each setting, and what it means. None but the namespace changes what is listed: perf events are not opened, and lockdown is no matter
    // of capabilities.
    private static IEnumerable<(Func<HostFacts, HostFacts> Apply, Func<bool, (string Name, HostVerdict Verdict)[]> Verdicts)> Settings() =>
    [
        (facts => facts,
            _ => [("kernel.perf_event_paranoid", HostVerdict.Good), ("lockdown", HostVerdict.Good), ("user namespace", HostVerdict.Good)]),
        (facts => facts with { PerfEventParanoid = 3, Lockdown = "integrity" },
            _ => [("kernel.perf_event_paranoid", HostVerdict.Notice), ("lockdown", HostVerdict.Good)]),
        (facts => facts with { Lockdown = "confidentiality", UnprivilegedBpfDisabled = 0, SeccompFilter = true },
            application =>
            [
                ("lockdown", application ? HostVerdict.Wrong : HostVerdict.Notice),
                ("kernel.unprivileged_bpf_disabled", HostVerdict.Notice), ("seccomp", HostVerdict.Notice),
            ]),
        (facts => facts with { InitialUserNamespace = false }, _ => [("user namespace", HostVerdict.Wrong)]),
    ];
}
