using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>Where it is sent to, with which header fields and certificates, and what happens when nobody is there.</summary>
public sealed class EndpointTests
{
    private const string Secret = "c2VjcmV0LWtleQ==";

    [LiveFact("nginx", "otlp-receiver")]
    public async Task Headers_and_a_base_path()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, receiver.HttpUrl + "/collector/")
                .With("OTEL_EXPORTER_OTLP_HEADERS", $" x-tenant = one%20two , authorization=Basic%20{Secret}"));

        await HttpRequests.SendAsync(server.Port, 10);
        await receiver.WaitForSpansAsync(10);
        await agent.StopAsync();

        Assert.All(receiver.Requests, request => Assert.Equal(
            ("/collector/v1/traces", "one two", $"Basic {Secret}"),
            (request.Path, request.Headers["x-tenant"], request.Headers["authorization"])));
        Assert.DoesNotContain(Secret, agent.Errors, StringComparison.Ordinal);
    }

    [LiveFact("nginx", "otlp-receiver")]
    public async Task The_settings_of_the_signal_win()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync(
            paths: new Dictionary<string, string>(StringComparer.Ordinal) { ["/take/it?as=is"] = "traces" });
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, "http://127.0.0.1:1", "grpc")
                .With("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", receiver.HttpUrl + "/take/it?as=is")
                .With("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json")
                .With("OTEL_EXPORTER_OTLP_HEADERS", "x-general=1")
                .With("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-own=2"));

        await HttpRequests.SendAsync(server.Port, 10);
        await receiver.WaitForSpansAsync(10);
        await agent.StopAsync();

        Assert.All(receiver.Requests, request => Assert.Equal(
            ("/take/it?as=is", "application/json", "2", false),
            (request.Path, request.ContentType, request.Headers["x-own"], request.Headers.ContainsKey("x-general"))));
    }

    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData("http/protobuf")]
    [InlineData("grpc")]
    public async Task Tls_with_an_authority_and_a_certificate_of_ones_own(string protocol)
    {
        using TestAuthority authority = new();
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync(authority);
        await using AgentProcess agent = await AgentProcess.StartAsync(
            Settings(server, receiver, protocol, authority)
                .With("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", authority.Client)
                .With("OTEL_EXPORTER_OTLP_CLIENT_KEY", authority.ClientKey));

        await HttpRequests.SendAsync(server.Port, 40);
        await receiver.WaitForSpansAsync(40);
        await agent.StopAsync();

        Assert.All(receiver.Requests, request => Assert.Equal(
            ("TLSv1.3", TestAuthority.ClientName), (request.Tls, request.ClientCertificate)));
        Assert.Equal((40, 0), agent.Sent());
    }

    /// <summary>Nothing reaches a receiver whose certificate is of another authority, or that is shown none.</summary>
    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData("http/protobuf", true)]
    [InlineData("http/protobuf", false)]
    [InlineData("grpc", true)]
    [InlineData("grpc", false)]
    public async Task Tls_that_is_refused(string protocol, bool foreign)
    {
        using TestAuthority authority = new();
        using TestAuthority other = new();
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync(authority);
        AgentSettings settings = Settings(server, receiver, protocol, foreign ? other : authority);
        await using AgentProcess agent = await AgentProcess.StartAsync(!foreign ? settings : settings
            .With("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", authority.Client)
            .With("OTEL_EXPORTER_OTLP_CLIENT_KEY", authority.ClientKey));

        await HttpRequests.SendAsync(server.Port, 10);
        Assert.True(
            await Wait.UntilAsync(() => agent.Errors.Contains("Telemetry cannot be sent", StringComparison.Ordinal), Wait.Hang),
            agent.Errors);
        await agent.StopAsync(ChildProcess.SIGINT, "otlp.traces");

        // Which of the two refused: the agent says why it did.
        Assert.Equal(!foreign, receiver.RefusedHandshakes.Contains("handshake: ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"));
        Assert.True(foreign == agent.Errors.Contains("remote certificate is invalid", StringComparison.Ordinal), agent.Errors);
        Assert.Empty(receiver.Requests);
        Assert.Equal((0, 10), agent.Sent());
    }

    /// <summary>
    /// Nobody is there for a while: what the queue holds arrives when somebody is, each span once, and the rest is counted. Meanwhile the
    /// stream goes on, and the memory is that of the queue.
    /// </summary>
    [LiveFact("nginx", "otlp-receiver")]
    public async Task A_dead_endpoint_costs_the_queue_and_no_more()
    {
        const int queue = 1000;
        await using TestServer server = await Nginx.StartAsync(workers: 2);
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, $"http://127.0.0.1:{port}")
                .InBatchesOf(100).With("OTEL_BSP_MAX_QUEUE_SIZE", "1000")
                .With("BEYLA_BACKOFF_MAX_INTERVAL", "500ms"));

        await HttpRequests.SendAsync(server.Port, 4000);
        await agent.WaitForServerSpansAsync(4000);
        long before = Memory(agent);
        await HttpRequests.SendAsync(server.Port, 36_000);
        await agent.WaitForServerSpansAsync(40_000);
        long grown = Memory(agent) - before;
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync(http: port);
        await receiver.WaitForSpansAsync(queue);
        await HttpRequests.SendAsync(server.Port, 100);
        await receiver.WaitForSpansAsync(queue + 100);
        await agent.StopAsync(ChildProcess.SIGINT, "otlp.traces");

        Assert.Equal((queue + 100, 40_000 - queue), agent.Sent());
        Assert.Equal(queue + 100, receiver.Spans.Select(span => span.SpanId).Distinct().Count());
        Assert.True(grown < 6_000, $"The worker grew by {grown} kB while nothing could be sent.");
        Assert.Single(agent.ErrorLines, line => line.Contains("msg=\"Telemetry cannot be sent\"", StringComparison.Ordinal));
    }

    /// <summary>A receiver that answers late holds up neither the stream nor the end.</summary>
    [LiveFact("nginx", "otlp-receiver")]
    public async Task A_slow_endpoint_holds_nothing_up()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await receiver.AnswerAsync(new OtlpAnswer { Delay = 120_000, Times = -1 });
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(server.Port, receiver.HttpUrl));

        await HttpRequests.SendAsync(server.Port, 500);
        await agent.WaitForServerSpansAsync(500);
        await receiver.WaitForRequestsAsync(1);
        await HttpRequests.SendAsync(server.Port, 500);
        await agent.WaitForServerSpansAsync(1000);
        await agent.StopAsync(ChildProcess.SIGINT, "otlp.traces");

        Assert.Equal((0, 1000), agent.Sent());
        Assert.Single(receiver.Requests);
    }

    private static AgentSettings Settings(TestServer server, OtlpReceiver receiver, string protocol, TestAuthority trusted) =>
        ExportingAgent.For(server.Port, protocol == "grpc" ? receiver.GrpcUrl : receiver.HttpUrl, protocol)
            .With("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.Root);

    /// <summary>Kilobytes of the worker's own memory.</summary>
    private static long Memory(AgentProcess agent) => long.Parse(
        File.ReadLines($"/proc/{agent.WorkerPid}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], System.Globalization.CultureInfo.InvariantCulture);
}
