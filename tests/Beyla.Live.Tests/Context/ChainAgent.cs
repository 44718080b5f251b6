using System.Globalization;
using Beyla.Live.Tests.Propagation;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Context;

/// <summary>An agent that looks after services of a chain.</summary>
internal static class ChainAgent
{
    /// <summary>Starts it and waits until contexts travel.</summary>
    /// <param name="way">How they do; empty: they do not.</param>
    /// <param name="ports">What its services listen on.</param>
    public static Task<AgentProcess> StartAsync(string way, params int[] ports)
    {
        string list = string.Join(',', ports.Select(port => port.ToString(CultureInfo.InvariantCulture)));
        AgentSettings settings = AgentSettings.ForRules($"open_ports: \"{list}\"");
        return way.Length == 0
            ? AgentProcess.StartAsync(settings.With("BEYLA_BPF_CONTEXT_PROPAGATION", "disabled"))
            : PassingAgent.StartAsync(settings, way);
    }
}

/// <summary><see cref="LiveTheoryAttribute"/> that needs what a chain needs.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ChainTheoryAttribute : TheoryAttribute
{
    public ChainTheoryAttribute(params string[] more)
    {
        Skip = LiveConditions.ReasonToSkip([.. Chain.Needs, .. more]);
        Timeout = LiveConditions.Limit;
    }
}
