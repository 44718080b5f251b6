using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>The Aspire dashboard gets what the agent sees.</summary>
public sealed class DashboardTests
{
    [LiveTheory("nginx", "aspire")]
    [InlineData("http/protobuf")]
    [InlineData("http/json")]
    [InlineData("grpc")]
    public async Task Every_request_is_there_once(string protocol)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AspireDashboard dashboard = await AspireDashboard.StartAsync(key: "secret");
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, protocol == "grpc" ? dashboard.GrpcUrl : dashboard.HttpUrl, protocol)
                .With("OTEL_EXPORTER_OTLP_HEADERS", $"{AspireDashboard.KeyHeader}=secret"));

        await HttpRequests.SendAsync(server.Port, [.. Enumerable.Range(0, 200).Select(i => $"/hello/{i}")]);
        IReadOnlyList<OtlpSpan> spans = await dashboard.WaitForSpansAsync("nginx", 200);
        await agent.StopAsync();

        Assert.Equal((200, 0), agent.Sent());
        Assert.Equal(
            Enumerable.Range(0, 200).Select(i => $"/hello/{i}").Order(), spans.Select(span => (string)span.Attributes["url.path"]).Order());
        Assert.Equal(
            agent.Spans.Select(span => (span.TraceId, span.SpanId)).Order(), spans.Select(span => (span.TraceId, span.SpanId)).Order());
    }

    [LiveTheory("nginx", "aspire")]
    [InlineData("http/protobuf")]
    [InlineData("grpc")]
    public async Task A_wrong_key_is_final(string protocol)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AspireDashboard dashboard = await AspireDashboard.StartAsync(key: "secret");
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, protocol == "grpc" ? dashboard.GrpcUrl : dashboard.HttpUrl, protocol)
                .With("OTEL_EXPORTER_OTLP_HEADERS", $"{AspireDashboard.KeyHeader}=wrong"));

        await HttpRequests.SendAsync(server.Port, 20);
        Assert.True(
            await Wait.UntilAsync(() => agent.Errors.Contains("Telemetry is lost", StringComparison.Ordinal), Wait.Hang), agent.Errors);
        await agent.StopAsync(ChildProcess.SIGINT, "otlp.traces");

        Assert.Equal((0, 20), agent.Sent());
        Assert.Empty(await dashboard.SpansAsync("nginx"));
    }

    /// <summary>nginx before a server in Python: one trace with three spans, of two services; a picture of it is kept.</summary>
    [LiveFact("nginx", "python3", "aspire")]
    public async Task One_trace_over_two_services()
    {
        await using TestServer python = await ServerKinds.PythonAsync(environment: [new("OTEL_SERVICE_NAME", "shop")]);
        await using TestServer nginx = await Nginx.StartAsync(upstream: python.Port);
        await using AspireDashboard dashboard = await AspireDashboard.StartAsync();
        AgentSettings settings = ExportingAgent.For(nginx.Port, dashboard.HttpUrl);
        await using AgentProcess agent = await AgentProcess.StartAsync(
            settings.With("BEYLA_OPEN_PORT", $"{nginx.Port},{python.Port}"));

        await HttpRequests.SendAsync(nginx.Port, 1, "/proxy/status/200");
        OtlpSpan shop = Assert.Single(await dashboard.WaitForSpansAsync("shop", 1));
        IReadOnlyList<OtlpSpan> edge = await dashboard.WaitForSpansAsync("nginx", 2);
        OtlpSpan server = Assert.Single(edge, span => span.Kind == 2);
        OtlpSpan client = Assert.Single(edge, span => span.Kind == 3);
        Assert.Equal("", server.ParentSpanId);
        Assert.Equal((server.TraceId, server.SpanId), (client.TraceId, client.ParentSpanId));
        Assert.Equal((client.TraceId, client.SpanId), (shop.TraceId, shop.ParentSpanId));

        if (Tool.TryFind("chromedriver") is not null && Tool.TryFind("chromium") is not null)
        {
            await using Browser browser = await Browser.StartAsync();
            await browser.OpenAsync($"{dashboard.PageUrl}/traces/detail/{server.TraceId}", "shop");
            await browser.PictureAsync("aspire-trace");
        }

        await agent.StopAsync();
    }
}
