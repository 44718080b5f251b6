using System.Globalization;
using System.Net;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Metrics;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>Metrics put together: what spans and flows are made into, and the pages on which they are read.</summary>
public sealed class PrometheusExport : IDisposable
{
    private readonly List<PageResponder> responders = [];
    private readonly CountersPage counters;

    private PrometheusExport(AgentConfiguration configuration, ServiceResources services, HostIdentity host, string version)
    {
        var metrics = configuration.Metrics;
        var store = new MetricStore(
            new MetricStoreOptions
            {
                Idle = metrics.Idle, ExpiresOfLiving = metrics.ExpiresOfLiving, Resources = metrics.Services, Exemplars = metrics.Exemplars,
            },
            AgentResource.Of(host, version));
        if (!metrics.HidesBuild)
        {
            MetricSetup.AddBuild(store, version);
        }

        var setup = new MetricSetup
        {
            Features = metrics.Features, Durations = metrics.Durations, HasSelfReferences = metrics.HasSelfReferences,
            SpanNames = configuration.Shaping.MetricSpanNames,
        };
        Stages = metrics.TakesSpans && setup.MakeStage(store, services) is { } stage ? [stage] : [];
        Flows = metrics.TakesFlows ? new FlowMetrics(store, metrics.Features, configuration.Network) : null;
        counters = new CountersPage(LabelText.Identity(store.Agent)) { Answered = () => responders.Sum(static one => one.Answered) };
        try
        {
            Listen(metrics, new MetricsPage(store));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Take spans; empty where no group of metrics needs them.</summary>
    public IReadOnlyList<IExportStage> Stages { get; }

    /// <summary>Takes flows; null where no group of metrics needs them.</summary>
    public IFlowSink? Flows { get; }

    /// <summary>Begins to listen.</summary>
    /// <param name="configuration">What is configured.</param>
    /// <param name="services">The resources of processes.</param>
    /// <param name="host">Where the agent runs.</param>
    /// <param name="version">Version of the agent.</param>
    /// <exception cref="KernelException">A port is taken, or not allowed.</exception>
    public static PrometheusExport Start(
        AgentConfiguration configuration, ServiceResources services, HostIdentity host, string version) =>
        new(configuration, services, host, version);

    /// <summary>Tells what the stages of the agent have counted, when all are there.</summary>
    /// <param name="source">Called on the thread of the page.</param>
    public void Tell(Func<IReadOnlyList<PlaceCounters>> source) => counters.Source = source;

    /// <summary>Ends the pages.</summary>
    public void Dispose() => responders.ForEach(static one => one.Dispose());

    private void Listen(MetricsConfiguration metrics, MetricsPage page)
    {
        var pages = new Dictionary<int, Dictionary<string, IPage>>();
        if (metrics.Port != 0)
        {
            pages[metrics.Port] = new() { [metrics.Path] = page };
        }

        if (metrics.InternalPort != 0)
        {
            if (!pages.TryGetValue(metrics.InternalPort, out var own))
            {
                pages[metrics.InternalPort] = own = [];
            }

            own[metrics.InternalPath] = counters;
        }

        foreach (var (port, paths) in pages)
        {
            responders.Add(new PageResponder(new ResponderOptions { Address = metrics.Address, Port = port }, paths));
            foreach (var path in paths.Keys)
            {
                Log.Info("Metrics can be read", ("url", string.Create(
                    CultureInfo.InvariantCulture, $"http://{new IPEndPoint(metrics.Address, port)}{path}")));
            }
        }
    }
}
