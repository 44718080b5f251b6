using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Configuration;
using Beyla.Agent.Tests.Export;
using Beyla.Agent.Tests.Metrics;

namespace Beyla.Agent.Tests.Spans;

/// <summary>
/// A process that sends OpenTelemetry data itself, as Grafana Beyla knows it: a call of a client that went well, to a path that ends as the
/// specification of OTLP has it (OpenTelemetry Protocol specification, "OTLP/HTTP Request").
/// </summary>
public sealed class InstrumentedServicesTests
{
    private static readonly ProcessInfo Other = Samples.Web with { Pid = 4712 };

    [Theory]
    [InlineData("POST", "/v1/traces", 200, LeftOut.Traces)]
    [InlineData("POST", "/v1/metrics", 200, LeftOut.Metrics)]
    [InlineData("POST", "/otlp/v1/traces", 202, LeftOut.Traces)]
    [InlineData("POST", "/v1/logs", 200, LeftOut.None)]
    [InlineData("POST", "/v1/traces/1", 200, LeftOut.None)]
    [InlineData("POST", "/my/own", 200, LeftOut.None)]
    [InlineData("GET", "/v1/traces", 200, LeftOut.None)]
    [InlineData("POST", "/v1/traces", 404, LeftOut.None)]
    [InlineData("POST", "/v1/traces", 503, LeftOut.None)]
    [InlineData("POST", "/v1/traces", 307, LeftOut.None)]
    public void A_post_that_was_taken_tells(string method, string path, int status, LeftOut expected)
    {
        var services = new InstrumentedServices(LeftOut.Traces, LeftOut.Metrics);
        Add(services, Post(path).With(SpanAttribute.HttpRequestMethod, method).With(SpanAttribute.HttpResponseStatusCode, status));
        Assert.Equal(expected, services.Of(Samples.Web));
        Assert.Equal(LeftOut.None, services.Of(Other));
    }

    [Fact]
    public void Who_serves_it_or_got_no_answer_is_none()
    {
        var services = new InstrumentedServices(LeftOut.Traces, LeftOut.Metrics);
        Add(services, Post("/v1/traces") with { Kind = SpanKind.Server });
        Add(services, (Post("/v1/traces") with { Values = new() }).With(SpanAttribute.HttpRequestMethod, "POST")
            .With(SpanAttribute.UrlPath, "/v1/traces").With(SpanAttribute.ErrorType, "connection_closed"));
        Assert.Equal(LeftOut.None, services.Of(Samples.Web));
    }

    [Fact]
    public void It_holds_to_the_end_of_the_process_whatever_else_gets_known_of_it()
    {
        var services = new InstrumentedServices(LeftOut.Traces, LeftOut.Metrics);
        Add(services, Post("/v1/traces"));
        Add(services, Post("/v1/metrics"));
        Add(services, Samples.Client);
        var known = Samples.Web with { Language = ProcessLanguage.Java };
        Assert.Equal(LeftOut.Traces | LeftOut.Metrics, services.Of(known));
        services.OnEnd(known);
        Assert.Equal(LeftOut.None, services.Of(Samples.Web)); // the pid may be another's
    }

    [Theory]
    [InlineData("", "", LeftOut.Traces, LeftOut.Metrics)]
    [InlineData("true", "true", LeftOut.Traces | LeftOut.SpanMetrics, LeftOut.Metrics)]
    [InlineData("false", "true", LeftOut.SpanMetrics, LeftOut.None)]
    [InlineData("false", "", LeftOut.None, LeftOut.None)]
    public void The_settings_choose(string all, string spanMetrics, LeftOut ofTraces, LeftOut ofMetrics)
    {
        var services = InstrumentedServices.Make(Loaded.Environment(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"), ("BEYLA_METRICS_FEATURES", "application,application_service_graph"),
            ("BEYLA_EXCLUDE_OTEL_INSTRUMENTED_SERVICES", all),
            ("BEYLA_EXCLUDE_OTEL_INSTRUMENTED_SERVICES_SPAN_METRICS", spanMetrics)).Configuration);
        Assert.Equal((ofTraces | ofMetrics) != LeftOut.None, services is not null);
        if (services is not null)
        {
            Add(services, Post("/v1/traces"));
            Assert.Equal(ofTraces, services.Of(Samples.Web));
            services.OnEnd(Samples.Web);
            Add(services, Post("/v1/metrics"));
            Assert.Equal(ofMetrics, services.Of(Samples.Web));
        }
    }

    [Fact]
    public void Of_what_is_not_exported_nothing_is_left_out()
    {
        Assert.Null(InstrumentedServices.Make(
            new AgentConfiguration { Metrics = new() { Features = MetricFeatures.Network, Port = 9464 } }));
        var page = InstrumentedServices.Make(new AgentConfiguration { Metrics = new() { Port = 9464 } })!;
        Add(page, Post("/v1/traces"));
        Assert.Equal(LeftOut.None, page.Of(Samples.Web));
        Add(page, Post("/v1/metrics"));
        Assert.Equal(LeftOut.Metrics, page.Of(Samples.Web));
    }

    [Fact]
    public void Its_spans_end_with_the_first_that_tells_and_are_counted()
    {
        var services = new InstrumentedServices(LeftOut.Traces, LeftOut.None);
        var sink = new Stage();
        var stage = new InstrumentedStage(sink, services);
        var exporter = Exporter([Samples.Web, Samples.Plain], services, stage);
        exporter.OnSpan(Samples.Client);
        Assert.Empty(stage.Count());
        exporter.OnSpan(Post("/v1/traces"));
        exporter.OnSpan(Samples.Client);
        exporter.OnSpan(Samples.Broken); // of another process
        Assert.Equal([4711, 12], sink.Pids);
        Assert.Equal(new PlaceCounters("instrumented.traces", "spans", 4, Emitted: 2, Filtered: 2), Assert.Single(stage.Count()));
    }

    [Fact]
    public void Its_metrics_stay_as_they_are_in_one_group_and_go_on_in_the_other()
    {
        var services = new InstrumentedServices(LeftOut.None, LeftOut.Metrics);
        var rig = new MetricRig(MetricFeatures.Application | MetricFeatures.ApplicationSpan, instrumented: services);
        var exporter = Exporter([Samples.Web], services, rig.Stage);
        exporter.OnSpan(Samples.Client);
        exporter.OnSpan(Post("/v1/metrics"));
        exporter.OnSpan(Samples.Client);
        Assert.Equal(1, rig.One("http_client_request_duration_seconds_count"));
        Assert.Equal(3, rig.One("traces_spanmetrics_calls_total"));
        Assert.Equal(
            new PlaceCounters("instrumented.metrics", "spans", 3, Aggregated: 1, Filtered: 2),
            Assert.Single(((ICounted)rig.Stage).Count()));
    }

    [Fact]
    public void What_is_in_no_group_any_more_ends_as_with_its_process()
    {
        var services = new InstrumentedServices(LeftOut.None, LeftOut.Metrics);
        var rig = new MetricRig(options: new() { IsRead = false }, instrumented: services);
        var exporter = Exporter([Samples.Web], services, rig.Stage);
        exporter.OnSpan(Samples.Client);
        exporter.OnSpan(Post("/v1/metrics"));
        exporter.OnSpan(Samples.Client);
        Assert.Equal(2, rig.Store.Resources.Count);
        rig.Store.Expire(Environment.TickCount64 + 20_000);
        Assert.Single(rig.Store.Resources); // the agent's
        exporter.Forget(Samples.Web);
        exporter.OnSpan(Samples.Client); // another process with this pid
        Assert.Equal(1, rig.One("http_client_request_duration_seconds_count"));
    }

    private static SpanData Post(string path) =>
        Samples.Client.With(SpanAttribute.HttpRequestMethod, "POST").With(SpanAttribute.UrlPath, path);

    private static void Add(InstrumentedServices services, SpanData span) =>
        services.OnSpan(new ExportedSpan(in span) { Process = Samples.Web });

    private static SpanExporter Exporter(ProcessInfo[] processes, params IExportSink[] sinks) =>
        new(new Samples.Processes(processes), new Redactor(Samples.Sensitive), Samples.Clock(), sinks);

    private sealed class Stage : IExportStage
    {
        public List<int> Pids { get; } = [];

        public void OnSpan(in ExportedSpan span) => Pids.Add(span.Process.Pid);

        public long Tick(long now) => long.MaxValue;

        public void Finish(long deadline)
        {
        }
    }
}
