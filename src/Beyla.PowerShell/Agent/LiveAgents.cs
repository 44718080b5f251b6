using System.Collections.Concurrent;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// The agents that this process runs, each with the runspace that it works for, so that removing the module or
/// leaving the shell ends them.
/// </summary>
public static class LiveAgents
{
    private static readonly ConcurrentDictionary<AgentProcess, Guid> Agents = new();

    // When the process ends the pipes close and the agents stop. But an end can take long, and then what a shell that is on its way out
    // still runs is nobody's any more.
    static LiveAgents() => AppDomain.CurrentDomain.ProcessExit += (_, _) => ReleaseAll(Agents.Keys);

    /// <summary>How many run.</summary>
    public static int Count => Agents.Count;

    /// <summary>
    /// Stops those of one runspace at the same time; returns when they are gone, after 2 s at the latest. The module may be in use in
    /// other runspaces of the process (ForEach-Object -Parallel, thread jobs): what they run goes on.
    /// </summary>
    /// <param name="owner">The runspace, as in <see cref="AgentCommand.Owner"/>.</param>
    public static void StopAll(Guid owner)
    {
        var own = Agents.Where(agent => agent.Value == owner).Select(agent => agent.Key).ToList();
        ReleaseAll(own);
        Parallel.ForEach(own, agent => agent.Dispose());
    }

    /// <summary>Notes an agent that was started for the runspace <paramref name="owner"/>.</summary>
    internal static void Add(AgentProcess agent, Guid owner) => Agents[agent] = owner;

    /// <summary>Forgets an agent that is gone.</summary>
    internal static void Remove(AgentProcess agent) => Agents.TryRemove(agent, out _);

    private static void ReleaseAll(IEnumerable<AgentProcess> agents)
    {
        foreach (var agent in agents)
        {
            agent.Release();
        }
    }
}
