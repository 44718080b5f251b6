using Beyla.Agent.Linux;

namespace Beyla.Agent.Capabilities;

/// <summary>One row of the capability table: one tracer, one operation, one capability.</summary>
internal sealed record CapabilityRow(DocumentedTracer Tracer, Capability Capability)
{
    /// <summary>What the agent (or, where only documented, the documentation) does with it.</summary>
    public required string Operation { get; init; }

    /// <summary>What stops working without it; for a row that nothing needs, why not.</summary>
    public required string Without { get; init; }

    /// <summary>Whether the documentation's internal reference lists the capability for the tracer.</summary>
    public bool InReference { get; init; } = true;

    /// <summary>The features whose documented list names the capability.</summary>
    public Feature DocumentedFor { get; init; }

    /// <summary>The features for which this agent needs it.</summary>
    public Feature NeededFor { get; init; }

    /// <summary>The features to which it adds something.</summary>
    public Feature OptionalFor { get; init; }

    /// <summary>False for a tracer that this agent does not have yet: nothing can need the row.</summary>
    public bool Built { get; init; } = true;

    /// <summary>The first kernel to which the row applies.</summary>
    public Version From { get; init; } = new(0, 0);

    /// <summary>The first kernel to which it applies no more.</summary>
    public Version? Below { get; init; }

    /// <summary>A host setting that decides about the row, in words; empty for most.</summary>
    public string Setting { get; init; } = "";

    /// <summary>The call that fails without it; empty where nothing fails.</summary>
    public string FailingCall { get; init; } = "";

    /// <summary>The errno of that call.</summary>
    public int FailingErrno { get; init; }

    /// <summary>Call and errno: <c>bpf(BPF_PROG_LOAD): EPERM</c>.</summary>
    public string Failure => FailingCall.Length == 0 ? "" : $"{FailingCall}: {Errno.Name(FailingErrno)}";

    /// <summary>All features that the row is about.</summary>
    public Feature Features => DocumentedFor | NeededFor | OptionalFor;

    /// <summary>Whether the row applies to that kernel.</summary>
    public bool AppliesTo(Version kernel) => kernel >= From && (Below is null || kernel < Below);
}
