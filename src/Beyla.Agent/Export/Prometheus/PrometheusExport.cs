using System.Globalization;
using System.Net;
using Beyla.Agent.Configuration;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Metrics;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>Metrics put together: what spans and flows are made into, and the page on which they are read.</summary>
public sealed class PrometheusExport : IDisposable
{
    private readonly PageResponder responder;

    private PrometheusExport(MetricStore store, IExportStage? stage, PageResponder responder) =>
        (Store, Stages, this.responder) = (store, stage is null ? [] : [stage], responder);

    /// <summary>The series.</summary>
    public MetricStore Store { get; }

    /// <summary>Takes spans; empty where no group of metrics needs them.</summary>
    public IReadOnlyList<IExportStage> Stages { get; }

    /// <summary>Begins to listen.</summary>
    /// <param name="configuration">What is configured; its port is not 0.</param>
    /// <param name="services">The resources of processes.</param>
    /// <param name="host">Where the agent runs.</param>
    /// <param name="version">Version of the agent.</param>
    /// <exception cref="KernelException">The port is taken, or not allowed.</exception>
    public static PrometheusExport Start(MetricsConfiguration configuration, ServiceResources services, HostIdentity host, string version)
    {
        var store = new MetricStore(
            new MetricStoreOptions
            {
                Idle = configuration.Idle, ExpiresOfLiving = configuration.ExpiresOfLiving, Resources = configuration.Services,
                Exemplars = configuration.Exemplars,
            },
            AgentResource.Of(host, version));
        var setup = new MetricSetup
        {
            Features = configuration.Features, Durations = configuration.Durations, HasSelfReferences = configuration.HasSelfReferences,
        };
        if (!configuration.HidesBuild)
        {
            MetricSetup.AddBuild(store, version);
        }

        var stage = setup.MakeStage(store, services);
        var responder = new PageResponder(
            new ResponderOptions { Address = configuration.Address, Port = configuration.Port },
            new Dictionary<string, IPage> { [configuration.Path] = new MetricsPage(store) });
        Log.Info("Metrics can be read", ("url", string.Create(
            CultureInfo.InvariantCulture, $"http://{new IPEndPoint(configuration.Address, responder.Port)}{configuration.Path}")));
        return new PrometheusExport(store, stage, responder);
    }

    /// <summary>Ends the page.</summary>
    public void Dispose() => responder.Dispose();
}
