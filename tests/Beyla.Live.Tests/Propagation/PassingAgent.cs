using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Propagation;

/// <summary>An agent that passes contexts on.</summary>
internal static class PassingAgent
{
    /// <summary>Starts it and waits until contexts travel, for which one of its services has to be there.</summary>
    /// <param name="settings">What it traces.</param>
    /// <param name="way">How contexts travel: tcp, headers or all.</param>
    public static async Task<AgentProcess> StartAsync(AgentSettings settings, string way)
    {
        AgentProcess agent = await AgentProcess.StartAsync(settings.With("BEYLA_BPF_CONTEXT_PROPAGATION", way));
        if (await Wait.UntilAsync(() => agent.Errors.Contains("Passing trace context on", StringComparison.Ordinal), Wait.Hang))
        {
            return agent;
        }

        string errors = agent.Errors;
        await agent.DisposeAsync();
        throw new InvalidOperationException($"Trace contexts do not travel: {errors}");
    }
}
