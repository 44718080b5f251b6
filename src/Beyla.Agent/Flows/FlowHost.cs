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

    /// <summary>The service of a process (pid in the initial pid namespace), or null when none is known. Called on the flow thread.</summary>
    public Func<int, string?> ServiceOf { get; init; } = static _ => null;
}
