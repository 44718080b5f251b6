using Beyla.Agent.Processes;

namespace Beyla.Agent.Flows;

/// <summary>What the flow observer needs from the agent around it.</summary>
public sealed record FlowHost
{
    /// <summary>Runs an action on the calling thread with the capabilities of the flow mode raised.</summary>
    public Action<Action> Privileged { get; init; } = static action => action();

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
