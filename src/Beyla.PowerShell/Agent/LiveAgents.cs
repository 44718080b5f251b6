using System.Collections.Concurrent;

namespace Beyla.PowerShell.Agent;

/// <summary>The agents that this process runs, so that removing the module or leaving the shell ends all of them.</summary>
public static class LiveAgents
{
    private static readonly ConcurrentDictionary<AgentProcess, bool> Agents = new();

    /// <summary>How many run.</summary>
    public static int Count => Agents.Count;

    /// <summary>Stops all of them at the same time; returns when they are gone, after 2 s at the latest.</summary>
    public static void StopAll()
    {
        foreach (var agent in Agents.Keys)
            agent.Release();
        foreach (var agent in Agents.Keys)
            agent.Dispose();
    }

    internal static void Add(AgentProcess agent) => Agents[agent] = true;

    internal static void Remove(AgentProcess agent) => Agents.TryRemove(agent, out _);
}
