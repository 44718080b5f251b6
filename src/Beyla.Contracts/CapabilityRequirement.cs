namespace Beyla;

/// <summary>What a check found about one capability.</summary>
// Long, as the others: ConvertTo-Json writes such an enumeration by its names.
public enum CapabilityState : long
{
    /// <summary>The process holds it.</summary>
    Granted,

    /// <summary>The process does not hold it, but another one that the kernel accepts in its place.</summary>
    GrantedByOther,

    /// <summary>Something asks for it and the process does not hold it.</summary>
    Missing,

    /// <summary>Nothing in this configuration on this kernel asks for it.</summary>
    NotRequired,

    /// <summary>Held, but whether the kernel accepts it here only a probe can tell.</summary>
    Unknown,
}

/// <summary>How much this agent depends on a capability.</summary>
public enum CapabilityNeed : long
{
    /// <summary>Nothing that it does asks the kernel for it.</summary>
    None,

    /// <summary>It adds something to the result and is done without quietly.</summary>
    Optional,

    /// <summary>Without it a part of what was asked for does not work.</summary>
    Required,
}

/// <summary>One use of a capability by one tracer: a row of the capability table.</summary>
public sealed record CapabilityUse
{
    /// <summary>The tracer, as the documentation names it.</summary>
    public required string Tracer { get; init; }

    /// <summary>What the agent does with the capability: program type, system call, file.</summary>
    public required string Operation { get; init; }

    /// <summary>What stops working without it.</summary>
    public required string WithoutIt { get; init; }

    /// <summary>Whether the documented list for the configuration names the capability because of this.</summary>
    public bool Documented { get; init; }

    /// <summary>Whether this agent on this kernel depends on it.</summary>
    public CapabilityNeed Need { get; init; }

    /// <summary>The call that fails without it, and its errno; empty where nothing fails.</summary>
    public string FailingCall { get; init; } = "";
}

/// <summary>One capability, judged for one configuration on one host.</summary>
public sealed record CapabilityRequirement
{
    /// <summary>The capability.</summary>
    public required Capability Capability { get; init; }

    /// <summary>Whether it is there.</summary>
    public required CapabilityState State { get; init; }

    /// <summary>Whether the documented list for this configuration names it; the warning at start is about these.</summary>
    public bool Documented { get; init; }

    /// <summary>Whether this agent was shown to need it for this configuration on this kernel.</summary>
    public CapabilityNeed Need { get; init; }

    /// <summary>Whether <see cref="Need"/> is <see cref="CapabilityNeed.Required"/>.</summary>
    public bool Needed => Need == CapabilityNeed.Required;

    /// <summary>The capability that stands in, where <see cref="State"/> is <see cref="CapabilityState.GrantedByOther"/>.</summary>
    public Capability? GrantedBy { get; init; }

    /// <summary>The tracers that use it.</summary>
    public IReadOnlyList<string> UsedBy { get; init; } = [];

    /// <summary>What it is used for.</summary>
    public string Reason { get; init; } = "";

    /// <summary>What does not work without it.</summary>
    public string WithoutIt { get; init; } = "";

    /// <summary>What the verdict rests on.</summary>
    public string Evidence { get; init; } = "";

    /// <summary>What to do about it; empty when there is nothing to do.</summary>
    public string Fix { get; init; } = "";

    /// <summary>The rows of the table behind this, for this configuration.</summary>
    public IReadOnlyList<CapabilityUse> Uses { get; init; } = [];
}
