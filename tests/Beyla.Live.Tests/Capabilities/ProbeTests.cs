using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Capabilities;

/// <summary>
/// Every row of the table, executed: with the listed set and with the needed set the kernel takes all, and each needed capability taken
/// away makes exactly the predicted calls fail with the predicted errno.
/// </summary>
public sealed class ProbeTests
{
    public static TheoryData<string> Scenarios() => [.. ScenarioCase.All.Select(scenario => scenario.Name)];

    public static TheoryData<string, string> Needed()
    {
        TheoryData<string, string> data = [];
        foreach (ScenarioCase scenario in ScenarioCase.All)
        {
            foreach (string capability in scenario.Needed.Split(','))
            {
                data.Add(scenario.Name, capability);
            }
        }

        return data;
    }

    [LiveTheory("setcap", "setpriv"), MemberData(nameof(Scenarios))]
    public async Task Listed_and_needed_sets_are_enough(string name)
    {
        ScenarioCase scenario = ScenarioCase.Find(name);
        await using Bystander bystander = Bystander.Start();
        CapabilityReport full = await ProbeAsync(scenario, scenario.Listed, 0);
        CapabilityReport least = await ProbeAsync(scenario, scenario.Needed, 0);

        Assert.True(full.DocumentedPresent);
        Assert.True(least.NeededPresent);
        Assert.Equal(Names(scenario.Listed), Names(full, requirement => requirement.Documented));
        Assert.Equal(Names(scenario.Needed), Names(full, requirement => requirement.Needed));
        // What the kernel takes does not depend on what is only listed, except for what is optional and says so.
        Assert.Equal(Taken(full).Except(Optional(full)), Taken(least).Except(Optional(full)));
        Assert.NotEmpty(Taken(least));
    }

    [LiveTheory("setcap", "setpriv"), MemberData(nameof(Needed))]
    public async Task Each_needed_one_taken_away_fails_as_predicted(string name, string capability)
    {
        ScenarioCase scenario = ScenarioCase.Find(name);
        await using Bystander bystander = Bystander.Start();
        CapabilityReport full = await ProbeAsync(scenario, scenario.Listed, 0);
        CapabilityReport less = await ProbeAsync(scenario, ScenarioCase.Without(scenario.Listed, capability), 3);

        CapabilityRequirement requirement = less.Requirements.Single(row => Names(capability).Single() == row.Capability.Name());
        Assert.Equal(CapabilityState.Missing, requirement.State);
        string[] predicted = [.. requirement.Uses.Where(use => use.Need == CapabilityNeed.Required)
            .Select(use => use.FailingCall).Distinct()];
        Assert.NotEmpty(predicted);

        CapabilityProbe[] failed = [.. less.Probes.Where(probe => probe.Answer == ProbeAnswer.No && Taken(full).Contains(Kind(probe)))];
        Assert.NotEmpty(failed);
        Assert.All(predicted, call => Assert.Contains(failed, probe => Matches(probe, call)));
        // And nothing else fails, except what reading environ also asks of CAP_SYS_PTRACE.
        string[] calls = capability == "cap_sys_ptrace" ? [.. predicted, "open(/proc/PID/environ): EACCES"] : predicted;
        Assert.All(failed, probe => Assert.Contains(calls, call => Matches(probe, call)));
    }

    /// <summary>The answer of the agent's own check for a scenario, with probes, as an ordinary user.</summary>
    internal static async Task<CapabilityReport> ProbeAsync(
        ScenarioCase scenario, string capabilities, int expected, params string[] options)
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(capabilities);
        (int status, string output, string errors) = await user.CommandAsync(
            ["capability", "test", "--scenario", scenario.Name, "--probe", "--json"], options);
        Assert.True(status == expected, $"exit code {status}, not {expected}: {errors}\n{output}");
        return CapabilityJson.Read(output);
    }

    private static bool Matches(CapabilityProbe probe, string predicted)
    {
        string call = predicted[..predicted.LastIndexOf(':')];
        string error = predicted[(predicted.LastIndexOf(':') + 2)..];
        string operation = probe.Operation;
        return probe.Error == error && call switch
        {
            "bpf(BPF_PROG_LOAD)" => operation.StartsWith("load ", StringComparison.Ordinal),
            "socket(AF_PACKET)" => operation == "socket(AF_PACKET)",
            "readlink(/proc/PID/exe)" => operation.EndsWith("/exe", StringComparison.Ordinal),
            "open(/proc/PID/environ)" => operation.EndsWith("/environ", StringComparison.Ordinal),
            _ => false,
        };
    }

    private static HashSet<string> Taken(CapabilityReport report) =>
        [.. report.Probes.Where(probe => probe.Answer == ProbeAnswer.Yes).Select(Kind)];

    private static IEnumerable<string> Optional(CapabilityReport report) =>
        report.Probes.Select(Kind).Where(kind => kind.StartsWith("load owners/", StringComparison.Ordinal));

    // Which process is opened does not matter.
    private static string Kind(CapabilityProbe probe) =>
        probe.Operation.StartsWith("open /proc/", StringComparison.Ordinal) ? "open " + Path.GetFileName(probe.Operation) : probe.Operation;

    private static IEnumerable<string> Names(string list) => list.Split(',').Select(name => name.ToUpperInvariant()).Order();

    private static IEnumerable<string> Names(CapabilityReport report, Func<CapabilityRequirement, bool> which) =>
        report.Requirements.Where(which).Select(requirement => requirement.Capability.Name()).Order();

    /// <summary>A process of root that stays while a test runs, so that there is one to look at.</summary>
    private sealed class Bystander : IAsyncDisposable
    {
        private readonly ChildProcess process = ChildProcess.Start(Tool.Find("sleep"), ["60"]);

        public static Bystander Start() => new();

        public ValueTask DisposeAsync() => process.DisposeAsync();
    }
}
