using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>Puts together what is configured.</summary>
public sealed class MetricSetup
{
    /// <summary>Groups of metrics.</summary>
    public required MetricFeatures Features { get; init; }

    /// <summary>Those that rules ask for, for their services, added up.</summary>
    public MetricFeatures ServiceFeatures { get; init; }

    /// <summary>Bounds of durations, in seconds; null for those of the conventions of each metric.</summary>
    public IReadOnlyList<double>? Durations { get; init; }

    /// <summary>Span names of a service that are told apart; 0 or less is no limit.</summary>
    public int SpanNames { get; init; } = 100;

    /// <summary>Whether calls of a service to itself are part of the service graph.</summary>
    public bool HasSelfReferences { get; init; }

    /// <summary>The protocols that are in the metrics of spans; null for all.</summary>
    public IReadOnlySet<string>? Instrumentations { get; init; }

    /// <summary>How often processes are measured.</summary>
    public TimeSpan ProcessInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What stands for a client of which only the address is known.</summary>
    public string UnresolvedClient { get; init; } = "incoming";

    /// <summary>What stands for a server of which only the address is known.</summary>
    public string UnresolvedServer { get; init; } = "outgoing";

    /// <summary>How addresses get names; null where they stay without.</summary>
    public NameResolverConfiguration? Names { get; init; }

    /// <summary>Who knows them; null for the resolver of the host.</summary>
    internal Func<Address, string?>? Resolve { get; init; }

    /// <summary>How files of processes are read; null for what this process may itself.</summary>
    public ProcReader? Proc { get; init; }

    /// <summary>Makes what turns spans into metrics; null where no group of metrics needs spans.</summary>
    /// <param name="store">Keeps them.</param>
    /// <param name="services">The resources of processes.</param>
    /// <param name="instrumented">Which processes are left out; null for none.</param>
    public IExportStage? MakeStage(MetricStore store, ServiceResources services, InstrumentedServices? instrumented = null)
    {
        var durations = Durations ?? Buckets.Durations;
        var peers = new PeerNames(UnresolvedClient, UnresolvedServer);
        var features = Features | ServiceFeatures;
        List<MetricGroup> groups = [];
        if (features.HasFlag(MetricFeatures.Application))
        {
            groups.Add(new MetricGroup(LeftOut.Metrics, "instrumented.metrics",
            [
                (MetricFeatures.Application, new HttpMetrics(store, durations, peers)),
                (MetricFeatures.Application, new DatabaseMetrics(store, Durations ?? Buckets.Queries)),
            ]));
        }

        List<(MetricFeatures Feature, ISpanMetrics Metrics)> metrics = [];
        foreach (var feature in (ReadOnlySpan<MetricFeatures>)
            [MetricFeatures.ApplicationSpan, MetricFeatures.ApplicationSpanOtel, MetricFeatures.ApplicationSpanSizes])
        {
            if (features.HasFlag(feature))
            {
                metrics.Add((feature, new SpanMetrics(store, feature, durations, SpanNames)));
            }
        }

        if (features.HasFlag(MetricFeatures.ApplicationServiceGraph))
        {
            metrics.Add((MetricFeatures.ApplicationServiceGraph, new ServiceGraph(store, durations, HasSelfReferences, peers)));
        }

        if (metrics.Count > 0)
        {
            groups.Add(new MetricGroup(LeftOut.SpanMetrics, "instrumented.span_metrics", [.. metrics]));
        }

        ProcessMetrics? processes = null;
        if (features.HasFlag(MetricFeatures.ApplicationProcess))
        {
            // What a process sends itself says little of what it uses: nothing is left out.
            processes = new ProcessMetrics(store, ProcessInterval, Proc ?? new ProcReader());
            groups.Add(new MetricGroup(LeftOut.None, "", [(MetricFeatures.ApplicationProcess, processes)]));
        }

        return groups.Count == 0 ? null : new MetricStage(
            store, services, [.. groups], Features, instrumented, new WantedProtocols(Instrumentations), processes,
            Names is null ? null : new ReverseNames(Names.Length, Names.Expiry, Resolve));
    }

    /// <summary>Adds <c>beyla_build_info</c>, whose one series is 1.</summary>
    public static void AddBuild(MetricStore store, string version) => AddInfo(
        store, "beyla.build.info", "Version of the agent.",
        ("version", version), ("target.os", "linux"), ("target.arch", ArchitectureName.Agent));

    /// <summary>Adds <c>traces_host_info</c>, by which Grafana Beyla says that a host is observed; its one series is 1.</summary>
    public static void AddHost(MetricStore store, string host) => AddInfo(
        store, "traces.host.info", "A host whose services are traced.", ("grafana.host.id", host));

    private static void AddInfo(MetricStore store, string name, string description, params (string Name, string Value)[] attributes)
    {
        var family = store.Add(new MetricDefinition
        {
            Name = name, Kind = MetricKind.Gauge, IsLasting = true, Description = description,
            Attributes = [.. attributes.Select(static attribute => (MetricAttribute)attribute.Name)],
        });
        var key = new SeriesKey(stackalloc byte[SeriesKey.Room]);
        foreach (var (_, value) in attributes)
        {
            key.Add(Encoding.UTF8.GetBytes(value));
        }

        using (store.Enter())
        {
            store.Of(family, store.Agent, in key, MetricStore.Time).Set(1);
        }
    }
}
