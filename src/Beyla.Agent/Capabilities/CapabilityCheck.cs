using System.Globalization;

namespace Beyla.Agent.Capabilities;

/// <summary>Judges the rows of the table for one configuration on one host. Pure: asks nothing of the system.</summary>
public static class CapabilityCheck
{
    // The kernel asks for these in the initial user namespace; the others count for what belongs to the namespace of the process.
    private static readonly CapabilitySet Global = CapabilitySet.Of(
        Capability.NetAdmin, Capability.SysAdmin, Capability.SysResource, Capability.Perfmon, Capability.Bpf, Capability.CheckpointRestore);

    private const Feature AllFeatures =
        Feature.NetworkSocketFilter | Feature.NetworkTrafficControl | Feature.Application
        | Feature.ContextPropagation | Feature.GoPropagation | Feature.BpfMetrics | Feature.TcpStatistics;

    /// <summary>
    /// All that any configuration or command can need: what <see cref="Privilege.Initialize"/> keeps until the configuration is known.
    /// </summary>
    public static CapabilitySet Possible { get; } = CapabilityTable.All.With(Capability.Setfcap).With(Capability.Lease);

    /// <summary>The documented list for the configuration: what the warning at start is about.</summary>
    public static CapabilitySet Documented(CapabilityRequest request, Version kernel) => Select(request, kernel, row => row.DocumentedFor);

    /// <summary>What this agent needs for the configuration.</summary>
    public static CapabilitySet Needed(CapabilityRequest request, Version kernel) => Select(request, kernel, row => row.NeededFor);

    /// <summary>
    /// What it needs or can make use of, with CAP_SYS_ADMIN where that has to stand in: all that <see cref="Privilege.Retain"/> should
    /// keep.
    /// </summary>
    public static CapabilitySet Usable(CapabilityRequest request, HostFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var useful = Select(request, facts.Kernel, row => row.NeededFor | row.OptionalFor);
        var lacking = useful.Except(facts.Capabilities.Permitted) & CapabilityTable.SubstitutedBySysAdmin;
        return lacking.IsEmpty ? useful : useful.With(Capability.SysAdmin);
    }

    /// <summary>
    /// Whether the process was given what this agent needs for the configuration and nothing that it has no use for at all: somebody
    /// left out on purpose what is only listed. What another configuration needs does not count against it: one file serves both.
    /// </summary>
    public static bool IsMinimal(CapabilityRequest request, HostFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var useful = Select(new CapabilityRequest(AllFeatures), facts.Kernel, row => row.NeededFor | row.OptionalFor);
        return facts.Capabilities.Permitted.ContainsAll(Needed(request, facts.Kernel)) && useful.ContainsAll(facts.Capabilities.Permitted);
    }

    /// <summary>The whole verdict, without probes.</summary>
    public static CapabilityReport Evaluate(CapabilityRequest request, HostFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        return new CapabilityReport
        {
            Configuration = request.Describe(),
            Agent = facts.AgentPath,
            Requirements = [.. CapabilityTable.All.Members().Select(capability => Judge(capability, request, facts))],
            Host = HostSettings.Judge(request, facts),
        };
    }

    private static CapabilitySet Select(CapabilityRequest request, Version kernel, Func<CapabilityRow, Feature> side)
    {
        var set = CapabilitySet.None;
        foreach (var row in CapabilityTable.Rows)
        {
            if ((side(row) & request.Features) != 0 && row.AppliesTo(kernel))
            {
                set = set.With(row.Capability);
            }
        }

        return set;
    }

    private static CapabilityRequirement Judge(Capability capability, CapabilityRequest request, HostFacts facts)
    {
        var uses = CapabilityTable.Rows
            .Where(row => row.Capability == capability && (row.Features & request.Features) != 0 && row.AppliesTo(facts.Kernel))
            .Select(row => new CapabilityUse
            {
                Tracer = row.Tracer.Name(),
                Operation = row.Operation,
                WithoutIt = row.Without,
                Documented = (row.DocumentedFor & request.Features) != 0,
                Need = (row.NeededFor & request.Features) != 0 ? CapabilityNeed.Required
                    : (row.OptionalFor & request.Features) != 0 ? CapabilityNeed.Optional
                    : CapabilityNeed.None,
                FailingCall = row.Failure,
            })
            .ToList();
        if (uses.Count == 0)
        {
            return new CapabilityRequirement
            {
                Capability = capability, State = CapabilityState.NotRequired,
                Reason = "nothing in this configuration asks for it on this kernel",
            };
        }

        var need = uses.Max(use => use.Need);
        var documented = uses.Any(use => use.Documented);
        var (state, by) = StateOf(capability, facts);
        return new CapabilityRequirement
        {
            Capability = capability,
            State = state,
            GrantedBy = by,
            Documented = documented,
            Need = need,
            UsedBy = [.. uses.Select(use => use.Tracer).Distinct()],
            Reason = Join(uses.Where(use => use.Need == need).Select(use => use.Operation)),
            WithoutIt = Join(uses.Where(use => use.Need == need).Select(use => use.WithoutIt)),
            Evidence = Evidence(capability, state, facts),
            Fix = state == CapabilityState.Missing ? Fix(capability, request, facts) : "",
            Uses = uses,
        };
    }

    private static (CapabilityState State, Capability? By) StateOf(Capability capability, HostFacts facts)
    {
        var held = facts.Capabilities.Permitted;
        Capability? by = held.Contains(capability) ? capability
            : held.Contains(Capability.SysAdmin) && CapabilityTable.SubstitutedBySysAdmin.Contains(capability) ? Capability.SysAdmin
            : null;
        return (by, facts.InitialUserNamespace) switch
        {
            (null, _) => (CapabilityState.Missing, null),
            (_, false) => (Global.Contains(capability) ? CapabilityState.Missing : CapabilityState.Unknown, null),
            _ when by == capability => (CapabilityState.Granted, null),
            _ => (CapabilityState.GrantedByOther, by),
        };
    }

    private static string Evidence(Capability capability, CapabilityState state, HostFacts facts)
    {
        var sets = facts.Capabilities;
        var permitted = string.Create(CultureInfo.InvariantCulture, $"CapPrm {sets.Permitted.Bits:x16}");
        if (facts.InitialUserNamespace == false && (sets.Permitted.Contains(capability) || sets.Permitted.Contains(Capability.SysAdmin)))
        {
            return state == CapabilityState.Unknown
                ? $"in {permitted}, in a user namespace: counts only for what belongs to that namespace"
                : $"in {permitted}, in a user namespace: the kernel asks for it in the initial one";
        }

        return state switch
        {
            CapabilityState.Granted => sets.Effective.Contains(capability)
                ? $"in {permitted}, effective at start"
                : $"in {permitted}, raised when used",
            CapabilityState.GrantedByOther => $"CAP_SYS_ADMIN in {permitted}, which the kernel accepts for {capability.Name()}",
            _ when !facts.Knows(capability) => $"this kernel knows capabilities up to number {facts.LastCapability}",
            _ when facts.AgentFile is { } file && file.Permitted.Contains(capability) =>
                $"not in {permitted}, although the file carries it: {WhyIgnored(capability, facts)}",
            _ => $"not in {permitted}",
        };
    }

    private static string WhyIgnored(Capability capability, HostFacts facts) =>
        facts.NoNewPrivileges == true ? "no_new_privs was set when it was started"
        : facts.AgentOnNosuid == true ? "it is on a file system mounted nosuid"
        : !facts.Capabilities.Bounding.Contains(capability) ? "the bounding set excludes it"
        : facts.InitialUserNamespace == false ? "the file's capabilities are for another user namespace"
        : "it was set after the start, or the process is traced";

    private static string Fix(Capability capability, CapabilityRequest request, HostFacts facts)
    {
        var name = capability.Name();
        if (facts.InitialUserNamespace == false)
        {
            return "start it in the initial user namespace";
        }

        if (!facts.Capabilities.Bounding.Contains(capability))
        {
            return $"start it where the bounding set has {name}: CapabilityBoundingSet= of the unit, "
                + $"--cap-add {name[4..]} of the container, "
                + "securityContext.capabilities.add of the pod";
        }

        if (facts.AgentFile is { } file && file.Permitted.Contains(capability))
        {
            return facts.NoNewPrivileges == true
                ? "start it without no_new_privs (NoNewPrivileges=no, allowPrivilegeEscalation: true), "
                    + "or as a unit with AmbientCapabilities="
                : facts.AgentOnNosuid == true ? "put the agent on a file system that is not mounted nosuid" : "start it again";
        }

        // What this agent makes use of, and the whole documented list only for what that list alone asks for.
        var useful = Select(request, facts.Kernel, row => row.NeededFor);
        if (Select(request, facts.Kernel, row => row.OptionalFor).Contains(capability))
        {
            useful = useful.With(capability);
        }

        return SetcapLine(useful.Contains(capability) && !request.Enforce ? useful : useful | Documented(request, facts.Kernel), facts);
    }

    // setcap(8) replaces what a file has: what the file carries for another use of the agent is named again.
    private static string SetcapLine(CapabilitySet set, HostFacts facts)
    {
        var carried = facts.AgentFile is { RootUser: 0 } file
            ? file
            : new FileCapabilities(CapabilitySet.None, CapabilitySet.None, Effective: false);
        var all = carried with { Permitted = (set & facts.Capabilities.Bounding) | carried.Permitted, Effective = false };
        return $"sudo setcap {ShellText.Quote(all.ToString())} {ShellText.Quote(facts.AgentPath)}";
    }

    private static string Join(IEnumerable<string> texts) => string.Join("; ", texts.Distinct());
}
