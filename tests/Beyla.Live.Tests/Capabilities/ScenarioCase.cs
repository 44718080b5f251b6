namespace Beyla.Live.Tests.Capabilities;

/// <summary>
/// A scenario of the documentation with what it lists and what the agent was measured to need. Written by hand, not taken from the
/// agent's table: the table has to agree.
/// </summary>
internal sealed record ScenarioCase(string Name, string Listed, string Needed)
{
    public static IReadOnlyList<ScenarioCase> All { get; } =
    [
        new("network", "cap_bpf,cap_net_raw", "cap_bpf,cap_net_raw"),
        new("network-tc", "cap_bpf,cap_net_admin,cap_perfmon", "cap_bpf,cap_net_admin"),
        new("application",
            "cap_bpf,cap_dac_read_search,cap_checkpoint_restore,cap_perfmon,cap_net_raw,cap_sys_ptrace",
            "cap_bpf,cap_dac_read_search,cap_perfmon,cap_sys_ptrace"),
        new("application-propagation",
            "cap_bpf,cap_dac_read_search,cap_checkpoint_restore,cap_perfmon,cap_net_raw,cap_sys_ptrace,cap_net_admin",
            "cap_bpf,cap_dac_read_search,cap_perfmon,cap_sys_ptrace,cap_net_admin"),
    ];

    public static ScenarioCase Find(string name) => All.Single(scenario => scenario.Name == name);

    /// <summary>The list without one capability.</summary>
    public static string Without(string list, string capability) => string.Join(',', list.Split(',').Where(name => name != capability));

    /// <summary>The capabilities that are listed and not needed.</summary>
    public IEnumerable<string> OnlyListed => Listed.Split(',').Except(Needed.Split(','));
}
