using System.Diagnostics;
using System.Globalization;
using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Prometheus;
using Beyla.Agent.Kernel;
using Beyla.Agent.Metrics;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Benchmarks;

/// <summary>What a span costs that becomes metrics, and what a page of 1,000 histograms costs. In this process, on one thread.</summary>
internal static class MetricSuite
{
    private const int Series = 1000, Spans = 200_000;

    public static string Run(BenchmarkOptions options)
    {
        var text = new StringBuilder()
            .AppendLine("## Metrics")
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture,
                $"{Series:N0} series of `http.client.request.duration` (15 buckets, 7 labels) of 10 services. A span goes through the "
                    + $"stage of metrics as on the thread of exports, each time to another series.")
            .AppendLine()
            .AppendLine("| | median | lowest | allocated |")
            .AppendLine("|---|---|---|---|");
        Span(text, options, "a span, `application`", MetricFeatures.Application);
        Span(text, options, "a span, `application`, `application_span`, `application_service_graph`",
            MetricFeatures.Application | MetricFeatures.ApplicationSpan | MetricFeatures.ApplicationServiceGraph);
        Span(text, options, "a span, `application`, exponential buckets alone", MetricFeatures.Application,
            new() { Exponential = new(160, 20), IsRead = false });
        Span(text, options, "a span, `application`, exponential buckets beside those of a page", MetricFeatures.Application,
            new() { Exponential = new(160, 20) });
        Page(text, options);
        return text.ToString();
    }

    private static void Span(
        StringBuilder text, BenchmarkOptions options, string name, MetricFeatures features, MetricStoreOptions? store = null)
    {
        var (_, stage) = Make(features, store);
        var rounds = Rounds(options, () => Feed(stage, Spans));
        text.AppendLine(CultureInfo.InvariantCulture,
            $"| {name} | {rounds.Median / Spans * 1e6:F0} ns | {rounds.Least / Spans * 1e6:F0} ns | "
                + $"{(double)rounds.Allocated / Spans:F2} B |");
    }

    private static void Page(StringBuilder text, BenchmarkOptions options)
    {
        var (store, stage) = Make(MetricFeatures.Application);
        Feed(stage, Spans);
        var page = new MetricsPage(store);
        foreach (var format in Enum.GetValues<PageFormat>())
        {
            foreach (var field in (string[])["", "Accept-Encoding: gzip\r\n"])
            {
                var accept = format == PageFormat.OpenMetrics ? "Accept: application/openmetrics-text;version=1.0.0\r\n" : "";
                var head = Encoding.ASCII.GetBytes($"GET /metrics HTTP/1.1\r\n{accept}{field}\r\n");
                using var responder = new PageResponder(new(), new Dictionary<string, IPage> { ["/metrics"] = page });
                using var answer = new PageBuffer();
                var rounds = Rounds(options, () =>
                {
                    answer.Clear();
                    responder.Answer(head, answer);
                });
                text.AppendLine(CultureInfo.InvariantCulture,
                    $"| a page of {format}{(field.Length > 0 ? ", gzip" : "")}: {answer.Length / 1024:N0} KiB | {rounds.Median:F2} ms | "
                        + $"{rounds.Least:F2} ms | {rounds.Allocated:N0} B |");
            }
        }
    }

    private static (MetricStore Store, IExportStage Stage) Make(MetricFeatures features, MetricStoreOptions? options = null)
    {
        var host = HostIdentity.Read();
        var store = new MetricStore(options ?? new(), AgentResource.Of(host, "0"));
        return (store, new MetricSetup { Features = features }.MakeStage(store, new ServiceResources(host, "0", static _ => 0))!);
    }

    /// <summary>Spans that differ in process, status and host, in an order that a prediction does not learn.</summary>
    private static void Feed(IExportStage stage, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var which = (int)((uint)(i * 2654435761u) % Series);
            ref readonly var span = ref Samples[which];
            stage.OnSpan(new ExportedSpan(in span)
            {
                Process = Processes[which % Processes.Length], Start = 1_700_000_000_000_000, Duration = 100 + (which * 7 % 20_000),
            });
        }
    }

    private static readonly ProcessInfo[] Processes =
        [.. Enumerable.Range(0, 10).Select(static i => new ProcessInfo { Pid = 1000 + i, ServiceName = $"service{i}", StartTime = 1 })];

    private static readonly SpanData[] Samples = [.. Enumerable.Range(0, Series).Select(static i =>
    {
        var values = new SpanValues();
        values.Add(SpanAttribute.Name, "GET"u8);
        values.Add(SpanAttribute.HttpRequestMethod, "GET"u8);
        values.Add(SpanAttribute.HttpResponseStatusCode, 200 + (i / 10 % 10));
        values.Add(SpanAttribute.HttpRequestHeaderHost, Encoding.ASCII.GetBytes($"backend{i / 100}.shop.svc:8080"));
        values.Add(SpanAttribute.NetworkProtocolVersion, "1.1"u8);
        return new SpanData
        {
            Protocol = ProtocolId.Http, Kind = SpanKind.Client, Values = values,
            Context = new TraceContext { TraceHigh = 1, TraceLow = (ulong)i, SpanId = 7, Flags = TraceContext.Sampled },
        };
    })];

    /// <summary>Milliseconds of one round, and bytes allocated in the leanest.</summary>
    private static (double Median, double Least, long Allocated) Rounds(BenchmarkOptions options, Action round)
    {
        // The runtime compiles what is busy a second time.
        for (var i = 0; i < 50; i++)
        {
            round();
        }

        var (times, allocated) = (new double[Math.Max(5, options.Rounds) * 5], long.MaxValue);
        for (var i = 0; i < times.Length; i++)
        {
            var (bytes, start) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
            round();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - bytes);
        }

        Array.Sort(times);
        return (times[times.Length / 2], times[0], allocated);
    }
}
