using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>Metrics of a traced server as an independent receiver decodes them: n requests are a count of n.</summary>
public sealed class MetricsTests
{
    private const string Duration = "http.server.request.duration";

    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData("http/protobuf")]
    [InlineData("http/json")]
    [InlineData("grpc")]
    public async Task N_requests_are_a_count_of_n_after_the_last_send(string protocol)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        bool grpc = protocol == "grpc";
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, grpc ? receiver.GrpcUrl : receiver.HttpUrl, protocol).With("OTEL_METRICS_EXPORTER", "otlp"));
        long begin = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000;
        await HttpRequests.SendAsync(
            server.Port, [.. Enumerable.Range(0, 300).Select(i => i % 3 == 0 ? "/status/503" : $"/hello/{i}")]);
        await agent.WaitForServerSpansAsync(300);
        Assert.DoesNotContain(receiver.Requests, request => request.Signal == "metrics"); // the interval is a minute
        await agent.StopAsync(ChildProcess.SIGTERM);

        OtlpRequest request = Assert.Single(await receiver.WaitForRequestsAsync(1, "metrics"));
        Assert.True(request.Taken, request.Summary);
        Assert.Equal(
            grpc ? "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" : "/v1/metrics", request.Path);
        OtlpPoint[] all = [.. OtlpPoint.Of(request)];
        OtlpPoint[] points = [.. all.Where(point => point.Metric == Duration)];
        Assert.Equal(
            [(200L, 200L), (503L, 100L)],
            points.Select(point => ((long)point.Attributes["http.response.status_code"], point.Count)).Order());
        Assert.All(points, point =>
        {
            Assert.Equal(("s", "histogram", 2, "nginx"), (point.Unit, point.Type, point.Temporality, point.Resource["service.name"]));
            Assert.Equal((long)server.Pid, ParentOf((long)point.Resource["process.pid"], server.Pid));
            Assert.Equal(Environment.MachineName, point.Resource["host.name"]);
            Assert.Equal("beyla", point.Resource["telemetry.sdk.name"]);
            Assert.True(Guid.TryParse((string)point.Resource["service.instance.id"], out _));
            Assert.Equal((point.Count, point.Bounds.Count + 1), (point.Buckets.Sum(), point.Buckets.Count));
            Assert.InRange(point.Start, begin, point.Time);
        });
        // The spans' own durations, which the stream has in microseconds.
        Assert.Equal(agent.Spans.Sum(span => span.Duration.TotalSeconds), points.Sum(point => point.Sum), 6);
        OtlpPoint build = Assert.Single(all, point => point.Metric == "beyla.build.info");
        Assert.Equal(("gauge", 1L, "beyla"), (build.Type, build.Value, build.Resource["service.name"]));

        PlaceCount count = Assert.Single(agent.LastLine!.Places, place => place.Place == "otlp.metrics");
        Assert.Equal(("points", all.Length, 0, 0), (count.Unit, (int)count.Emitted, (int)count.Lost, (int)count.Held));
        Assert.Equal((300, 0), agent.Sent());
    }

    /// <summary>What the stages counted is what the agent logs at its end, but for what the last request itself is counted as.</summary>
    [LiveFact("nginx", "otlp-receiver")]
    public async Task The_agents_own_counters_are_sent_with_them()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port)
            .With("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", receiver.HttpUrl + "/v1/metrics")
            .With("BEYLA_INTERNAL_METRICS_EXPORTER", "otel"));
        await HttpRequests.SendAsync(server.Port, 120, "/hello");
        await agent.WaitForServerSpansAsync(120);
        await agent.StopAsync();

        OtlpRequest request = Assert.Single(await receiver.WaitForRequestsAsync(1, "metrics"));
        OtlpPoint[] items = [.. OtlpPoint.Of(request).Where(point => point.Metric == "beyla.pipeline.items")];
        Assert.All(items, point => Assert.Equal(("sum", 2, "beyla"), (point.Type, point.Temporality, point.Resource["service.name"])));
        foreach (PlaceCount place in agent.LastLine!.Places.Where(place => place.Place is "sockets" or "tracing" or "spans"))
        {
            Assert.Equal(
                (place.Emitted, place.Aggregated, place.Filtered, place.Lost),
                (Of(place, "emitted"), Of(place, "aggregated"), Of(place, "filtered"), Of(place, "lost")));
        }

        Assert.Contains(items, point => (string)point.Attributes["place"] == "tracing");

        long Of(PlaceCount place, string outcome) => (long)Assert.Single(items, point => (string)point.Attributes["place"] == place.Place
            && (string)point.Attributes["unit"] == place.Unit && (string)point.Attributes["outcome"] == outcome).Value!;
    }

    [LiveFact("nginx", "otlp-receiver")]
    public async Task Each_send_has_all_since_the_beginning_and_the_last_values_of_a_process_that_is_over()
    {
        TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        AgentSettings settings = AgentSettings.ForPorts(server.Port)
            .With("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", receiver.HttpUrl + "/v1/metrics")
            .With("OTEL_METRIC_EXPORT_INTERVAL", "500");
        await using AgentProcess agent = await AgentProcess.StartAsync(settings);
        await HttpRequests.SendAsync(server.Port, 10, "/hello");
        OtlpPoint first = await PointAsync(10);
        await HttpRequests.SendAsync(server.Port, 5, "/hello");
        OtlpPoint second = await PointAsync(15);
        Assert.Equal((first.Start, 2, 2), (second.Start, first.Temporality, second.Temporality));
        Assert.True(second.Time > first.Time);
        Assert.True(second.Sum > first.Sum);

        // Requests right before the end are in the last values.
        await HttpRequests.SendAsync(server.Port, 3, "/hello");
        await server.DisposeAsync();
        Assert.Equal(first.Start, (await PointAsync(18)).Start);
        // Only metrics have an endpoint.
        Assert.All(receiver.Requests, request => Assert.Equal("/v1/metrics", request.Path));
        await agent.StopAsync();

        async Task<OtlpPoint> PointAsync(long expected)
        {
            OtlpPoint? found = null;
            await Wait.UntilAsync(
                () => (found = receiver.Points.LastOrDefault(point => point.Metric == Duration && point.Count == expected)) is not null,
                Wait.Hang);
            Assert.True(found is not null, $"no point of {expected} in {receiver.Requests.Count} requests\n{agent.Errors}");
            return found;
        }
    }

    [LiveFact("nginx", "otlp-receiver")]
    public async Task The_page_and_the_receiver_have_the_same_counts()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        int page = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(server.Port, receiver.HttpUrl)
            .With("OTEL_METRICS_EXPORTER", "otlp,prometheus").With("OTEL_METRIC_EXPORT_INTERVAL", "300")
            .With("BEYLA_PROMETHEUS_PORT", page.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        await HttpRequests.SendAsync(server.Port, 20, "/hello");
        await agent.WaitForServerSpansAsync(20);
        Assert.True(await Wait.UntilAsync(
            () => receiver.Points.Any(point => point is { Metric: Duration, Count: 20 }), Wait.Hang));
        using HttpClient client = new();
        string text = await client.GetStringAsync(new Uri($"http://127.0.0.1:{page}/metrics"));
        Assert.Matches("(?m)^http_server_request_duration_seconds_count{[^}]*} 20$", text);
        await agent.StopAsync();
    }

    /// <summary>What the page has from the beginning is the sum of what the receiver has from one request to the next.</summary>
    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData("delta")]
    [InlineData("lowmemory")]
    public async Task Points_that_count_from_the_last_one_add_up_to_the_requests(string temporality)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        int page = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(server.Port, receiver.HttpUrl)
            .With("OTEL_METRICS_EXPORTER", "otlp").With("OTEL_METRIC_EXPORT_INTERVAL", "300")
            .With("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", temporality)
            .With("BEYLA_METRICS_FEATURES", "application,application_span")
            .With("BEYLA_PROMETHEUS_PORT", page.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        for (int round = 1; round <= 3; round++)
        {
            await HttpRequests.SendAsync(server.Port, [.. Enumerable.Range(0, 100).Select(i => i % 4 == 0 ? "/status/503" : "/hello")]);
            Assert.True(await Wait.UntilAsync(() => Points(Duration).Sum(point => point.Count) == 100 * round, Wait.Hang));
        }

        using HttpClient client = new();
        string text = await client.GetStringAsync(new Uri($"http://127.0.0.1:{page}/metrics"));
        Assert.Matches("(?m)^http_server_request_duration_seconds_count{[^}]*http_response_status_code=\"503\"[^}]*} 75$", text);
        await HttpRequests.SendAsync(server.Port, 10, "/hello");
        await agent.WaitForServerSpansAsync(310);
        await agent.StopAsync(); // and the rest

        Assert.Equal(310, Points(Duration).Sum(point => point.Count));
        Assert.Equal(310, Points(Duration).Sum(point => point.Buckets.Sum()));
        Assert.Equal(agent.Spans.Sum(span => span.Duration.TotalSeconds), Points(Duration).Sum(point => point.Sum), 6);
        Assert.Equal(310, Points("traces_spanmetrics_calls").Sum(point => (long)point.Value!));
        Assert.All(Points(Duration).Concat(Points("traces_spanmetrics_calls")), point => Assert.Equal(1, point.Temporality));
        foreach (IGrouping<(object, object), OtlpPoint> series in Points(Duration)
            .GroupBy(point => (point.Resource["process.pid"], point.Attributes["http.response.status_code"])))
        {
            OtlpPoint[] points = [.. series];
            Assert.All(points.Zip(points.Skip(1)), pair => Assert.True(pair.Second.Start >= pair.First.Time, $"{pair}"));
            Assert.All(points, point => Assert.InRange(point.Start, 1, point.Time));
        }

        IEnumerable<OtlpPoint> Points(string metric) => receiver.Points.Where(point => point.Metric == metric);
    }

    /// <summary>The server whose worker a process is, or which it is.</summary>
    private static long ParentOf(long pid, int server) => pid == server ? pid
        : File.ReadLines($"/proc/{pid}/status").Where(line => line.StartsWith("PPid:", StringComparison.Ordinal))
            .Select(line => long.Parse(line.AsSpan(5).Trim(), System.Globalization.CultureInfo.InvariantCulture)).First();
}
