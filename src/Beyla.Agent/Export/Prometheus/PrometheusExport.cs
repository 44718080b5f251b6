using System.Globalization;
using System.Net;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Metrics;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>The pages on which metrics are read.</summary>
public sealed class PrometheusExport : IDisposable
{
    private readonly List<PageResponder> responders = [];
    private readonly CountersPage counters;

    private PrometheusExport(MetricsConfiguration metrics, MetricStore store)
    {
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

    /// <summary>Begins to listen.</summary>
    /// <param name="metrics">What is configured.</param>
    /// <param name="store">All series.</param>
    /// <exception cref="KernelException">A port is taken, or not allowed.</exception>
    public static PrometheusExport Start(MetricsConfiguration metrics, MetricStore store) => new(metrics, store);

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
