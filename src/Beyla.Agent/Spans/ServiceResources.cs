using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans;

/// <summary>
/// Makes the resources of processes, and keeps them until their end. As a stage it stands behind those that ask it. One thread.
/// </summary>
/// <param name="host">Where they run.</param>
/// <param name="version">Version of the agent.</param>
/// <param name="startTime">The start of a process where <see cref="ProcessInfo.StartTime"/> does not tell it; 0 if unknown.</param>
/// <param name="general">What the agent was told to say of every process (its own OTEL_RESOURCE_ATTRIBUTES).</param>
public sealed class ServiceResources(
    HostIdentity host, string version, Func<int, long> startTime, IReadOnlyList<KeyValuePair<string, string>>? general = null)
    : IExportStage
{
    /// <summary>Those beyond are made anew each time they are asked for.</summary>
    private const int MaximumKept = 65536;

    private readonly Dictionary<int, ServiceResource> kept = []; // by process id
    private readonly ServiceResource?[] recent = new ServiceResource?[64]; // by the lowest bits of the process id

    /// <summary>The resource of a process. Does not allocate for one that is known.</summary>
    public ServiceResource Of(ProcessInfo process)
    {
        ref var last = ref recent[process.Pid & 63];
        if (last is not null && ReferenceEquals(last.Process, process))
        {
            return last;
        }

        // What is known of a process may be replaced while it lives.
        if (!kept.TryGetValue(process.Pid, out var resource) || !ReferenceEquals(resource.Process, process))
        {
            resource = Make(process);
            if (kept.Count < MaximumKept)
            {
                kept[process.Pid] = resource;
            }
        }

        return last = resource;
    }

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
    }

    /// <summary>A process is over: gives back what is kept of it.</summary>
    public void OnEnd(ProcessInfo process)
    {
        _ = kept.Remove(process.Pid);
        recent[process.Pid & 63] = null;
    }

    /// <inheritdoc/>
    public long Tick(long now) => long.MaxValue;

    /// <inheritdoc/>
    public void Finish(long deadline)
    {
    }

    private ServiceResource Make(ProcessInfo process)
    {
        var executable = ServiceNames.FileName(process.Executable);
        var name = process.ServiceName.Length > 0 ? process.ServiceName : "unknown_service:" + executable;
        var start = process.StartTime != 0 ? process.StartTime : startTime(process.Pid);
        var instance = process.ResourceAttributes.FirstOrDefault(static own => own.Key == "service.instance.id").Value
            ?? host.InstanceOf(process.Pid, start);
        var attributes = new List<KeyValuePair<string, object>> { new("service.name", name) };
        void Add(string key, object value)
        {
            if (value is not "" && !attributes.Exists(other => other.Key == key))
            {
                attributes.Add(new(key, value));
            }
        }

        Add("service.namespace", process.ServiceNamespace);
        Add("service.instance.id", instance);
        // What the process says of itself goes before what is seen from outside.
        foreach (var (key, value) in process.ResourceAttributes)
        {
            Add(key, value);
        }

        // And what somebody said of all of them before what is found out. Who they are it cannot say: they would all be one.
        foreach (var (key, value) in general ?? [])
        {
            if (key is not ("service.name" or "service.namespace" or "service.instance.id"))
            {
                Add(key, value);
            }
        }

        Add("telemetry.sdk.name", "beyla");
        Add("telemetry.sdk.version", version);
        Add("telemetry.sdk.language", LanguageOf(process.Language));
        Add("host.name", host.Name);
        Add("host.id", host.Id);
        Add("os.type", "linux");
        if (!host.IsElsewhere)
        {
            Add("host.arch", ArchitectureName.Host);
        }

        Add("process.pid", (long)process.Pid);
        Add("process.executable.name", executable);
        Add("process.executable.path", process.Executable);
        return new ServiceResource
        {
            Process = process, ServiceName = name, ServiceNamespace = process.ServiceNamespace, InstanceId = instance,
            Attributes = attributes,
        };
    }

    /// <summary>As the registry of telemetry.sdk.language spells it; the stream's name where it has none.</summary>
    private static string LanguageOf(ProcessLanguage language) => System.Text.Encoding.UTF8.GetString(StreamNames.Of(language));
}
