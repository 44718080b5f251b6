using System.Globalization;
using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Prometheus;
using Beyla.Agent.Metrics;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Metrics;

/// <summary>The metrics of spans that tests make, as they stand on a page.</summary>
internal sealed class MetricRig
{
    internal static readonly HostIdentity Host = new("0123456789abcdef0123456789abcdef", "host1", "boot1");

    private readonly SpanExporter exporter;
    private readonly MetricsPage page;

    public MetricRig(
        MetricFeatures features = MetricFeatures.Application, MetricStoreOptions? options = null,
        InstrumentedServices? instrumented = null, MetricFeatures serviceFeatures = MetricFeatures.None,
        params ProcessInfo[] processes)
        : this(new MetricSetup { Features = features, ServiceFeatures = serviceFeatures }, options, instrumented, processes)
    {
    }

    public MetricRig(
        MetricSetup setup, MetricStoreOptions? options = null, InstrumentedServices? instrumented = null, params ProcessInfo[] processes)
    {
        Store = new MetricStore(options ?? new(), AgentResource.Of(Host, "1.2.3"));
        Stage = setup.MakeStage(
            Store, new ServiceResources(Host, "1.2.3", static _ => 77), instrumented)!;
        exporter = new SpanExporter(
            new Samples.Processes(processes.Length == 0 ? [Samples.Web, Samples.Plain] : processes), new Redactor(Samples.Sensitive),
            Samples.Clock(), Stage);
        page = new MetricsPage(Store);
    }

    public MetricStore Store { get; }

    public IExportStage Stage { get; }

    public void Add(in SpanData span, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            exporter.OnSpan(in span);
        }
    }

    /// <summary>A span of so many microseconds.</summary>
    public void Add(in SpanData span, long microseconds) => exporter.OnSpan(span with { End = span.Start + (microseconds * 1000) });

    public string Page(PageFormat format = PageFormat.Text)
    {
        using var buffer = new PageBuffer();
        page.Write(buffer, format);
        return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(buffer.Written);
    }

    /// <summary>The samples: what stands before the last blank, and the value.</summary>
    public Dictionary<string, double> All() => Page().Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Where(static line => line[0] != '#')
        .ToDictionary(static line => line[..line.LastIndexOf(' ')],
            static line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    /// <summary>The one sample whose name and labels hold all these.</summary>
    public double One(string name, params string[] labels) => Assert.Single(Some(name, labels)).Value;

    public KeyValuePair<string, double>[] Some(string name, params string[] labels) => [.. All().Where(sample =>
        sample.Key.StartsWith(name + "{", StringComparison.Ordinal)
        && labels.All(label => sample.Key.Contains(label, StringComparison.Ordinal)))];
}
