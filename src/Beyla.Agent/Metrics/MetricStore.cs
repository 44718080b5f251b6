using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// All series. One lock guards them: writers take it for each span or flow (<see cref="Enter"/>), a page for the whole of it. Does not
/// allocate for series that are known.
/// </summary>
public sealed partial class MetricStore
{
    private readonly Lock gate = new();
    private readonly MetricStoreOptions options;
    private readonly List<MetricFamily> families = [];
    private readonly Dictionary<int, (ProcessInfo Process, MetricResource Resource)> processes = []; // by process id
    private readonly Dictionary<(string Job, string Instance), MetricResource> resources = [];
    private readonly MetricFamily folded;
    private readonly byte[] room = new byte[SeriesKey.Room], selected = new byte[SeriesKey.Room];
    private ProcessInfo? lastProcess;
    private MetricResource? lastResource;
    private long now = Environment.TickCount64;

    /// <param name="options">Its limits.</param>
    /// <param name="agent">Job, instance and attributes of the agent: it owns what it observes of the host, and what overflows.</param>
    public MetricStore(
        MetricStoreOptions options, (string Job, string Instance, IReadOnlyList<KeyValuePair<string, object>> Attributes) agent)
    {
        this.options = options;
        Agent = new MetricResource(agent.Job, agent.Instance, agent.Attributes) { Living = 1 };
        resources.Add((agent.Job, agent.Instance), Agent);
        folded = Add(new MetricDefinition
        {
            Name = "beyla.metrics.folded", Unit = "{measurement}", Kind = MetricKind.Counter, IsLasting = true, Attributes = ["metric"],
            Description = "Measurements that went into the series otel.metric.overflow, since the metric had too many of its own.",
        });
    }

    /// <summary>The agent itself.</summary>
    public MetricResource Agent { get; }

    /// <summary>All metrics, in the order in which they were added. Read under the lock, as all that hangs on them.</summary>
    public IReadOnlyList<MetricFamily> Families => families;

    /// <summary>All resources.</summary>
    public IReadOnlyCollection<MetricResource> Resources => resources.Values;

    /// <summary>Takes the lock, until the scope is disposed of.</summary>
    public Lock.Scope Enter() => gate.EnterScope();

    /// <summary>Adds a metric, at the start.</summary>
    public MetricFamily Add(MetricDefinition definition)
    {
        using (Enter())
        {
            var family = new MetricFamily(families.Count, definition, options);
            families.Add(family);
            return family;
        }
    }

    /// <summary>The series of a key, made where there is none yet. Under the lock.</summary>
    /// <param name="family">The metric.</param>
    /// <param name="resource">Whose.</param>
    /// <param name="key">The values of its attributes; those that are not selected are left out.</param>
    /// <param name="start">When what is measured began, microseconds since 1970 (UTC).</param>
    internal Series Of(MetricFamily family, MetricResource resource, in SeriesKey key, long start)
    {
        var written = family.Selected == uint.MaxValue ? key.Written : SeriesKey.Select(key.Written, family.Selected, selected);
        var hash = SeriesKey.HashOf(written);
        var series = resource.TableOf(family).Find(written, hash) ?? Make(family, resource, written, hash, start);
        series.LastSeen = now;
        return series;
    }

    /// <summary>A key to be filled in: one at a time, under the lock. Room of the stack would have to be cleared each time.</summary>
    internal SeriesKey BeginKey() => new(room);

    /// <summary>Counts the duration of a span. Under the lock.</summary>
    internal void Observe(MetricFamily family, MetricResource resource, in SeriesKey key, in ExportedSpan span) =>
        Of(family, resource, in key, span.Start).Observe(span.Duration, span.Span.Context, span.End);

    /// <summary>The resource of a process. Under the lock.</summary>
    internal MetricResource Of(ServiceResource service)
    {
        if (ReferenceEquals(service.Process, lastProcess))
        {
            return lastResource!;
        }

        if (!processes.TryGetValue(service.Process.Pid, out var known))
        {
            known = processes[service.Process.Pid] = (service.Process, Join(service));
        }
        else if (!ReferenceEquals(known.Process, service.Process))
        {
            // More is known of it than before. Who begins before the other ends keeps a resource alive that is the same.
            var before = known.Resource;
            known = processes[service.Process.Pid] = (service.Process, Join(service));
            Leave(before);
        }

        var resource = known.Resource;
        (lastProcess, lastResource) = (service.Process, resource);
        return resource;
    }

    private Series Make(MetricFamily family, MetricResource resource, ReadOnlySpan<byte> key, ulong hash, long start)
    {
        if (family.Series.Count - (family.Overflow is null ? 0 : 1) >= options.Cardinality && !TryMakeRoom(family))
        {
            // The other one is still needed.
            var name = new SeriesKey(stackalloc byte[SeriesKey.Room]);
            name.Add(family.Name);
            Of(folded, Agent, in name, start).Add(1);
            if (family.Overflow is null)
            {
                family.Overflow = new Series(family, Agent, [], 0, start, options);
                family.Add(family.Overflow);
            }

            return family.Overflow;
        }

        var series = new Series(family, resource, key, hash, start, options);
        resource.Add(series);
        family.Add(series);
        return series;
    }

    /// <summary>
    /// Makes a process part of its resource. Several may say that they are the same instance (a name in the environment that children
    /// inherit): they are one then, since a page may not hold the same series twice. What the last one says of itself counts.
    /// </summary>
    private MetricResource Join(ServiceResource service)
    {
        var identity = (service.Job, service.InstanceId);
        if (!resources.TryGetValue(identity, out var resource))
        {
            if (resources.Count > options.Resources)
            {
                return Agent;
            }

            resource = new MetricResource(service.Job, service.InstanceId, service.Attributes);
            resources.Add(identity, resource);
        }
        else if (resource != Agent)
        {
            resource.Attributes = service.Attributes;
        }

        resource.Living++;
        resource.EndedAt = long.MaxValue;
        (resource.ReadsSinceEnd, resource.IsSentSinceEnd) = (0, false);
        return resource;
    }

    /// <summary>Microseconds since 1970, for what has no time of its own.</summary>
    internal static long Time => WallClock.UnixMicroseconds();
}
