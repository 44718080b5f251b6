namespace Beyla;

/// <summary>What a host setting means for the agent.</summary>
// Long, as the others: ConvertTo-Json writes such an enumeration by its names.
public enum HostVerdict : long
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>Works, and is worth knowing.</summary>
    Notice,

    /// <summary>Something that was asked for will not work.</summary>
    Wrong,

    /// <summary>Could not be read.</summary>
    Unknown,
}

/// <summary>A fact about the host or the process that decides what capabilities are worth.</summary>
public sealed record HostSetting
{
    /// <summary>The name, as the system spells it: <c>kernel.perf_event_paranoid</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The value found; empty when unknown.</summary>
    public required string Value { get; init; }

    /// <summary>The verdict.</summary>
    public required HostVerdict Verdict { get; init; }

    /// <summary>Why that is so.</summary>
    public string Meaning { get; init; } = "";

    /// <summary>How to change it, one way per entry: a command, or a platform and its configuration.</summary>
    public IReadOnlyList<string> Fix { get; init; } = [];
}

/// <summary>The answer of the kernel to one real attempt.</summary>
public enum ProbeAnswer : long
{
    /// <summary>The kernel did it.</summary>
    Yes,

    /// <summary>The kernel refused it.</summary>
    No,

    /// <summary>It could not be tried, or the answer tells nothing.</summary>
    Unknown,
}

/// <summary>One attempt of <c>beyla capability test --probe</c>.</summary>
public sealed record CapabilityProbe
{
    /// <summary>What was tried: <c>load program flows/socket_filter</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>The answer.</summary>
    public required ProbeAnswer Answer { get; init; }

    /// <summary>The symbolic errno of a refusal; empty otherwise.</summary>
    public string Error { get; init; } = "";

    /// <summary>The verifier's line or another reason.</summary>
    public string Evidence { get; init; } = "";
}

/// <summary>The whole report of <c>beyla capability test</c>.</summary>
public sealed record CapabilityReport
{
    /// <summary>Always <c>capability</c>; tells the record apart in a stream.</summary>
    public string Type { get; init; } = "capability";

    /// <summary>The version of this format.</summary>
    public int Version { get; init; } = 1;

    /// <summary>What the configuration asks for: <c>application</c>, <c>network (socket_filter)</c>, …</summary>
    public IReadOnlyList<string> Configuration { get; init; } = [];

    /// <summary>The agent binary that was judged.</summary>
    public string Agent { get; init; } = "";

    /// <summary>One entry per capability that any configuration can ask for, in ascending order of the kernel's numbers.</summary>
    public required IReadOnlyList<CapabilityRequirement> Requirements { get; init; }

    /// <summary>Host and process settings.</summary>
    public IReadOnlyList<HostSetting> Host { get; init; } = [];

    /// <summary>Real attempts; empty without <c>--probe</c>.</summary>
    public IReadOnlyList<CapabilityProbe> Probes { get; init; } = [];

    /// <summary>Whether everything that the documentation lists for the configuration is there: no warning at start.</summary>
    public bool DocumentedPresent =>
        Requirements.All(requirement => !requirement.Documented || requirement.State != CapabilityState.Missing);

    /// <summary>Whether everything that the agent needs for the configuration is there.</summary>
    public bool NeededPresent => Requirements.All(requirement => !requirement.Needed || requirement.State != CapabilityState.Missing);

    /// <summary>The documented capabilities that are missing, in ascending order: what the warning at start names.</summary>
    public IEnumerable<Capability> MissingDocumented() =>
        Requirements.Where(requirement => requirement.Documented && requirement.State == CapabilityState.Missing)
            .Select(requirement => requirement.Capability);
}
