using System.Net;

namespace Beyla.Agent.Configuration;

/// <summary>Which measurements name their trace as an example (OpenTelemetry specification, "ExemplarFilter").</summary>
public enum ExemplarFilter : byte
{
    /// <summary>None.</summary>
    AlwaysOff,

    /// <summary>Those whose trace is sampled.</summary>
    TraceBased,

    /// <summary>All that have a trace.</summary>
    AlwaysOn,
}

/// <summary>How the names of addresses are remembered (<c>name_resolver</c>).</summary>
/// <param name="Length">How many.</param>
/// <param name="Expiry">How long.</param>
public sealed record NameResolverConfiguration(int Length, TimeSpan Expiry);

/// <summary>Which metrics there are, the page on which Prometheus reads them, and where they are sent. Immutable.</summary>
public sealed record MetricsConfiguration
{
    /// <summary>Groups of metrics (<c>metrics.features</c>).</summary>
    public MetricFeatures Features { get; init; } = MetricFeatures.Application;

    /// <summary>Groups that rules ask for, for their services (<c>discovery.instrument[].metrics.features</c>), added up.</summary>
    public MetricFeatures ServiceFeatures { get; init; }

    /// <summary>Bounds of all histograms of durations of spans, in seconds; null for those of the conventions of each.</summary>
    public IReadOnlyList<double>? Durations { get; init; }

    /// <summary>Bounds of round-trip times of TCP, in seconds; null for those of Grafana Beyla.</summary>
    public IReadOnlyList<double>? RoundTrips { get; init; }

    /// <summary>The port of the page; 0 is none.</summary>
    public int Port { get; init; }

    /// <summary>The address on which the page can be read.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The path of the page.</summary>
    public string Path { get; init; } = "/metrics";

    /// <summary>How long a series without news stays where time ends it; zero is for ever.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether somebody said so: then it ends those of living processes too.</summary>
    public bool ExpiresOfLiving { get; init; }

    /// <summary>Service instances with metrics at most.</summary>
    public int Services { get; init; } = 10_000;

    /// <summary>Which measurements name their trace.</summary>
    public ExemplarFilter Exemplars { get; init; } = ExemplarFilter.TraceBased;

    /// <summary>Whether calls of a service to itself are part of the service graph.</summary>
    public bool HasSelfReferences { get; init; }

    /// <summary>Names of the protocols that are in the metrics of spans, as <see cref="TracesOptions.Instrumentations"/>.</summary>
    public IReadOnlySet<string>? Instrumentations { get; init; }

    /// <summary>How often processes are measured.</summary>
    public TimeSpan ProcessInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What stands for a client of which only the address is known.</summary>
    public string UnresolvedClient { get; init; } = "incoming";

    /// <summary>What stands for a server of which only the address is known.</summary>
    public string UnresolvedServer { get; init; } = "outgoing";

    /// <summary>How addresses get names where requests have none; null where they stay without.</summary>
    public NameResolverConfiguration? Names { get; init; }

    /// <summary>Whether the metric of the agent's version is left out.</summary>
    public bool HidesBuild { get; init; }

    /// <summary>The port of the page about the agent itself; 0 is none.</summary>
    public int InternalPort { get; init; }

    /// <summary>The path of the page about the agent itself.</summary>
    public string InternalPath { get; init; } = "/internal/metrics";

    /// <summary>Whether what the agent itself counted is sent with them.</summary>
    public bool SendsInternal { get; init; }

    /// <summary>How they are sent by OTLP; null where they are not.</summary>
    public MetricsExport? Sent { get; init; }

    /// <summary>Whether a page is written once, of a recording: it needs no port.</summary>
    public bool IsWritten { get; init; }

    /// <summary>Whether there is any page to be read.</summary>
    public bool IsServed => Port != 0 || InternalPort != 0;

    /// <summary>Whether spans are made into metrics.</summary>
    public bool TakesSpans => IsWanted && ((Features | ServiceFeatures) & MetricFeatures.OfSpans) != 0;

    /// <summary>Whether it is measured what processes use.</summary>
    public bool MeasuresProcesses => IsWanted && (Features | ServiceFeatures).HasFlag(MetricFeatures.ApplicationProcess);

    /// <summary>Whether flows are made into metrics.</summary>
    public bool TakesFlows => IsWanted && (Features & MetricFeatures.OfFlows) != 0;

    /// <summary>Whether TCP statistics are made into metrics.</summary>
    public bool TakesStatistics => IsWanted && (Features & MetricFeatures.OfStatistics) != 0;

    /// <summary>Whether anybody gets the metrics: not the page about the agent itself.</summary>
    public bool IsWanted => Port != 0 || Sent is not null || IsWritten;
}
