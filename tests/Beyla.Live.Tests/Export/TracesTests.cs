using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// Spans of a traced server as an independent receiver decodes them: n requests are n spans, each once, with the right types.
/// </summary>
public sealed class TracesTests
{
    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData("http/protobuf", "none")]
    [InlineData("http/protobuf", "gzip")]
    [InlineData("http/json", "none")]
    [InlineData("http/json", "gzip")]
    [InlineData("grpc", "none")]
    [InlineData("grpc", "gzip")]
    public async Task N_requests_are_n_spans(string protocol, string compression)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        bool grpc = protocol == "grpc";
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, grpc ? receiver.GrpcUrl : receiver.HttpUrl, protocol)
                .With("OTEL_EXPORTER_OTLP_COMPRESSION", compression));
        DateTimeOffset begin = DateTimeOffset.UtcNow;

        Exchange[] exchanges = await HttpRequests.SendAsync(server.Port, [.. Enumerable.Range(0, 1500).Select(i => (i % 4) switch
        {
            0 => $"/hello/{i}",
            1 => "/status/404",
            2 => "/status/503",
            _ => $"/hello?number={i}",
        })]);

        IReadOnlyList<OtlpSpan> spans = await receiver.WaitForSpansAsync(exchanges.Length);
        await agent.WaitForServerSpansAsync(exchanges.Length);
        await agent.StopAsync();
        Assert.Equal(exchanges.Length, receiver.Spans.Count);
        Assert.Equal((exchanges.Length, 0), agent.Sent());
        Assert.Equal(
            exchanges.GroupBy(exchange => exchange).Select(group => (group.Key.Path, group.Key.Status, group.Count())).Order(),
            spans.GroupBy(span => (Path: Target(span), Status: (int)(long)span.Attributes["http.response.status_code"]))
                .Select(group => (group.Key.Path, group.Key.Status, group.Count())).Order());
        Assert.Equal(exchanges.Length, spans.Select(span => span.SpanId).Distinct().Count());
        Assert.Equal(
            agent.Spans.Select(span => (span.TraceId, span.SpanId)).Order(), spans.Select(span => (span.TraceId, span.SpanId)).Order());
        Assert.All(spans, span => AssertSpan(span, server.Port, begin));
        Assert.All(receiver.Requests, request => AssertRequest(request, protocol, compression));
    }

    [LiveFact("python3", "otlp-receiver")]
    public async Task The_resource_is_the_process()
    {
        await using TestServer server = await ServerKinds.PythonAsync(environment:
        [
            new("OTEL_SERVICE_NAME", "shop"),
            new("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,service.namespace=store,deployment.environment.name=test%20one"),
        ]);
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        string first = await InstanceAsync();
        Assert.Equal(first, await InstanceAsync()); // an agent that is started anew calls the process the same

        async Task<string> InstanceAsync()
        {
            int before = receiver.Spans.Count;
            await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(server.Port, receiver.HttpUrl));
            await HttpRequests.SendAsync(server.Port, 3, "/status/200");
            IReadOnlyList<OtlpSpan> spans = await receiver.WaitForSpansAsync(before + 3);
            await agent.StopAsync();
            Assert.All(spans, span => Assert.Equal(spans[0].Resource.OrderBy(pair => pair.Key), span.Resource.OrderBy(pair => pair.Key)));
            IReadOnlyDictionary<string, object> resource = spans[^1].Resource;
            Assert.Equal(
                ("shop", "store", "test one", (long)server.Pid, "beyla", "python", "linux"),
                ((string)resource["service.name"], (string)resource["service.namespace"], (string)resource["deployment.environment.name"],
                    (long)resource["process.pid"], (string)resource["telemetry.sdk.name"], (string)resource["telemetry.sdk.language"],
                    (string)resource["os.type"]));
            Assert.Equal(
                File.Exists("/etc/machine-id") ? (await File.ReadAllTextAsync("/etc/machine-id")).Trim() : "",
                resource.GetValueOrDefault("host.id", ""));
            Assert.Equal(Environment.MachineName, resource["host.name"]);
            Assert.StartsWith("python3", (string)resource["process.executable.name"], StringComparison.Ordinal);
            string instance = (string)resource["service.instance.id"];
            Assert.True(Guid.TryParseExact(instance, "D", out Guid id) && id.Version == 5, instance);
            return instance;
        }
    }

    [LiveFact("nginx", "otlp-receiver")]
    public async Task What_waits_is_sent_at_the_end()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, receiver.HttpUrl).With("OTEL_BSP_SCHEDULE_DELAY", "60000"));

        await HttpRequests.SendAsync(server.Port, 300);
        await agent.WaitForServerSpansAsync(300);
        Assert.Empty(receiver.Requests);
        await agent.StopAsync(ChildProcess.SIGTERM);

        await receiver.WaitForSpansAsync(300);
        Assert.Equal((300, 0), agent.Sent());
    }

    /// <summary>Requests of the configured size, and the rest at the end.</summary>
    [LiveFact("nginx", "otlp-receiver")]
    public async Task Batches()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, receiver.HttpUrl).InBatchesOf(100));

        await HttpRequests.SendAsync(server.Port, 250);
        await receiver.WaitForSpansAsync(200);
        await agent.WaitForServerSpansAsync(250);
        await agent.StopAsync();
        await receiver.WaitForSpansAsync(250);

        Assert.Equal([100, 100, 50], receiver.Requests.Select(request => OtlpSpan.Of(request).Count()));
    }

    private static string Target(OtlpSpan span) => span.Attributes.TryGetValue("url.query", out object? query)
        ? $"{span.Attributes["url.path"]}?{query}" : (string)span.Attributes["url.path"];

    /// <summary>Names and types of the conventions (HTTP server spans), and nothing else.</summary>
    private static void AssertSpan(OtlpSpan span, int port, DateTimeOffset begin)
    {
        long status = (long)span.Attributes["http.response.status_code"];
        // A number is a value and no word of the service; what nobody said is marked as a guess (docs/routes.md).
        string[] segments = ((string)span.Attributes["url.path"]).Split('/');
        string route = segments.Length > 2 ? $"/{segments[1]}/*" : $"/{segments[1]}";
        Dictionary<string, object> expected = new(StringComparer.Ordinal)
        {
            ["http.route"] = route, ["beyla.guess"] = "route", ["http.request.method"] = "GET",
            ["url.scheme"] = "http", ["url.path"] = span.Attributes["url.path"],
            ["http.response.status_code"] = status, ["network.protocol.version"] = "1.1",
            ["server.address"] = "127.0.0.1", ["server.port"] = (long)port,
            ["client.address"] = "127.0.0.1", ["network.peer.address"] = "127.0.0.1",
            ["network.peer.port"] = Assert.IsType<long>(span.Attributes["network.peer.port"]),
        };
        if (span.Attributes.TryGetValue("url.query", out object? query))
        {
            expected["url.query"] = query;
        }

        if (status >= 500)
        {
            expected["error.type"] = status.ToString(CultureInfo.InvariantCulture);
        }

        Assert.Equal(expected.OrderBy(pair => pair.Key), span.Attributes.OrderBy(pair => pair.Key));
        Assert.Equal(
            ($"GET {route}", 2, "", status >= 500 ? 2 : 0, ""),
            (span.Name, span.Kind, span.ParentSpanId, span.Status, span.StatusMessage));
        Assert.Equal(("nginx", "beyla"), (span.Service, span.Scope));
        Assert.NotEmpty(span.ScopeVersion);
        Assert.Empty(span.Links);
        long from = begin.ToUnixTimeMilliseconds() * 1_000_000;
        Assert.InRange(span.Start, from, from + 60_000_000_000);
        Assert.InRange(span.End, span.Start + 1, span.Start + 10_000_000_000);
    }

    private static void AssertRequest(OtlpRequest request, string protocol, string compression)
    {
        Assert.True(request.Taken, request.Summary);
        Assert.StartsWith("OTel-OTLP-Exporter-beyla/", request.Headers["user-agent"], StringComparison.Ordinal);
        string? gzip = compression == "gzip" ? "gzip" : null;
        if (protocol == "grpc")
        {
            Assert.Equal(
                ("grpc", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "application/grpc", "trailers"),
                (request.Transport, request.Path, request.ContentType, request.Headers["te"]));
            Assert.Equal(gzip, request.Headers.GetValueOrDefault("grpc-encoding"));
            return;
        }

        Assert.Equal(("http", "/v1/traces"), (request.Transport, request.Path));
        Assert.Equal(protocol == "http/json" ? "application/json" : "application/x-protobuf", request.ContentType);
        Assert.Equal(gzip, request.Headers.GetValueOrDefault("content-encoding"));
        Assert.Equal(gzip is not null, request.Size < request.BodySize);
    }
}
