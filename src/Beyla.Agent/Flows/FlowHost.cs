using Beyla.Agent.Capabilities;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Flows;

/// <summary>Raises capabilities, as <see cref="Privilege.Raise(CapabilitySet)"/> does.</summary>
public delegate Privilege.Raised RaiseFlows();

/// <summary>What the flow observer needs from the agent around it.</summary>
public sealed record FlowHost
{
    /// <summary>Raises the capabilities of the flow mode on the calling thread until the result is disposed on it.</summary>
    public RaiseFlows Raise { get; init; } = static () => default;

    /// <summary>Tells the user of something wrong, one line.</summary>
    public Action<string> Warn { get; init; } = static _ => { };

    /// <summary>Tells what was decided and why, one line.</summary>
    public Action<string> Debug { get; init; } = static _ => { };

    /// <summary>
    /// The service of a traced process (pid in the initial pid namespace), or null. Called on the flow thread; a look-up, nothing more.
    /// </summary>
    public Func<int, string?> ServiceOf { get; init; } = static _ => null;

    /// <summary>Makes what reads files of the other processes, one for each thread that does; null to name no services of those.</summary>
    public Func<ProcReader>? MakeReader { get; init; }
}
