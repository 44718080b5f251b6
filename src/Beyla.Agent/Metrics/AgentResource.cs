using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// The agent as a resource of its own: what it observes of the host, and of itself, is told apart from that of other agents.
/// </summary>
public static class AgentResource
{
    /// <summary>Job, instance and attributes.</summary>
    /// <param name="host">Where it runs.</param>
    /// <param name="version">Its version.</param>
    public static (string Job, string Instance, IReadOnlyList<KeyValuePair<string, object>> Attributes) Of(
        HostIdentity host, string version)
    {
        // One agent may follow another, and two may run: a process of this boot is one of them.
        var instance = host.InstanceOf(Environment.ProcessId, 0);
        List<KeyValuePair<string, object>> attributes =
        [
            new("service.name", "beyla"), new("service.instance.id", instance), new("service.version", version),
            new("telemetry.sdk.name", "beyla"), new("telemetry.sdk.version", version), new("telemetry.sdk.language", "dotnet"),
            new("host.name", host.Name), new("host.id", host.Id), new("os.type", "linux"),
            new("process.pid", (long)Environment.ProcessId),
        ];
        attributes.RemoveAll(static attribute => attribute.Value is "");
        return ("beyla", instance, attributes);
    }
}
