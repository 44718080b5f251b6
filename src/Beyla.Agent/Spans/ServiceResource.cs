using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans;

/// <summary>
/// What a traced process is to whoever gets its telemetry: an OpenTelemetry resource, one for each process (semantic conventions,
/// "Resource"). Immutable.
/// </summary>
public sealed class ServiceResource
{
    /// <summary>The process.</summary>
    public required ProcessInfo Process { get; init; }

    /// <summary>service.name; never empty: <c>unknown_service:EXECUTABLE</c> where nothing names it.</summary>
    public required string ServiceName { get; init; }

    /// <summary>service.namespace; may be empty.</summary>
    public required string ServiceNamespace { get; init; }

    /// <summary>service.instance.id: stays the same when the agent starts anew, and is another one when the process does.</summary>
    public required string InstanceId { get; init; }

    /// <summary>All attributes by OpenTelemetry name, those above among them, each name once. Numbers are long, texts string.</summary>
    public required IReadOnlyList<KeyValuePair<string, object>> Attributes { get; init; }

    /// <summary>What an exporter has made of the attributes, so that it makes it once. For the one thread of exports.</summary>
    internal byte[]? Encoded { get; set; }

    /// <summary>What an exporter gathers of its telemetry just now, found without a look-up. For the one thread of exports.</summary>
    internal object? Gathered { get; set; }

    /// <summary>The label <c>job</c> of Prometheus: namespace and name, or the name alone.</summary>
    public string Job => ServiceNamespace.Length > 0 ? ServiceNamespace + "/" + ServiceName : ServiceName;
}
