using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// What is sent again and what is not (OpenTelemetry Protocol specification, "Failures"), and that every loss is counted.
/// </summary>
public sealed class DeliveryTests
{
    // google.rpc.Status { code 1: 8, details 3: Any { type.googleapis.com/google.rpc.RetryInfo { retry_delay 1: { seconds 1: 1 } } } }.
    private const string RetryInfo = "CAgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAQ==";

    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData(503, "1")]
    [InlineData(429, "1")]
    [InlineData(503, "date")]
    public async Task Retry_after_is_waited_for_and_the_same_bytes_come_again(int status, string after)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        // A date has whole seconds: that of two seconds from now is more than one second away.
        await receiver.AnswerAsync(OtlpAnswer.RetryAfter(
            status, after == "date" ? DateTimeOffset.UtcNow.AddSeconds(4).ToString("R", CultureInfo.InvariantCulture) : after));
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(server.Port, receiver.HttpUrl));

        await HttpRequests.SendAsync(server.Port, 50);
        await receiver.WaitForSpansAsync(50);
        await agent.StopAsync();

        IReadOnlyList<OtlpRequest> requests = receiver.Requests;
        Assert.Equal([false, true], requests.Take(2).Select(request => request.Taken));
        Assert.Equal(requests[0].Hash, requests[1].Hash);
        TimeSpan waited = requests[1].At - requests[0].At;
        Assert.True(waited >= TimeSpan.FromMilliseconds(after == "date" ? 500 : 990), $"It came again after {waited}.");
        Assert.Equal((50, 0), agent.Sent());
    }

    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData("http/protobuf", 429)]
    [InlineData("http/protobuf", 502)]
    [InlineData("http/protobuf", 503)]
    [InlineData("http/protobuf", 504)]
    [InlineData("http/protobuf", 0)]
    [InlineData("grpc", 1)]
    [InlineData("grpc", 4)]
    [InlineData("grpc", 10)]
    [InlineData("grpc", 11)]
    [InlineData("grpc", 14)]
    [InlineData("grpc", 15)]
    [InlineData("grpc", 0)]
    public async Task Sent_again(string protocol, int status)
    {
        OtlpAnswer answer = status == 0 ? new OtlpAnswer { Close = true } : OtlpAnswer.Code(status);
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await receiver.AnswerAsync(answer with { Times = 2 });
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, protocol == "grpc" ? receiver.GrpcUrl : receiver.HttpUrl, protocol));

        await HttpRequests.SendAsync(server.Port, 20);
        await receiver.WaitForSpansAsync(20);
        await agent.StopAsync();

        Assert.Equal([false, false, true], receiver.Requests.Take(3).Select(request => request.Taken));
        Assert.Single(receiver.Requests.Take(3).Select(request => request.Hash).Distinct());
        Assert.Equal((20, 0), agent.Sent());
    }

    [LiveFact("nginx", "otlp-receiver")]
    public async Task Resource_exhausted_is_sent_again_where_it_says_when()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await receiver.AnswerAsync(OtlpAnswer.Code(8) with
        {
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["grpc-status-details-bin"] = RetryInfo },
        });
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(server.Port, receiver.GrpcUrl, "grpc"));

        await HttpRequests.SendAsync(server.Port, 20);
        await receiver.WaitForSpansAsync(20);
        await agent.StopAsync();

        IReadOnlyList<OtlpRequest> requests = receiver.Requests;
        Assert.Equal(requests[0].Hash, requests[1].Hash);
        Assert.True(requests[1].At - requests[0].At >= TimeSpan.FromMilliseconds(990));
        Assert.Equal((20, 0), agent.Sent());
    }

    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData("http/protobuf", 400)]
    [InlineData("http/protobuf", 401)]
    [InlineData("http/protobuf", 404)]
    [InlineData("http/protobuf", 413)]
    [InlineData("http/protobuf", 500)]
    [InlineData("http/protobuf", 307)]
    [InlineData("grpc", 3)]
    [InlineData("grpc", 8)]
    [InlineData("grpc", 12)]
    [InlineData("grpc", 13)]
    [InlineData("grpc", 16)]
    public async Task Final_and_counted_as_lost(string protocol, int status)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await receiver.AnswerAsync(OtlpAnswer.Code(status) with
        {
            Text = "not today",
            Headers = status != 307 ? null
                : new Dictionary<string, string>(StringComparer.Ordinal) { ["Location"] = receiver.HttpUrl + "/v1/traces" },
        });
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, protocol == "grpc" ? receiver.GrpcUrl : receiver.HttpUrl, protocol)
                .With("OTEL_BSP_SCHEDULE_DELAY", "2000"));

        await HttpRequests.SendAsync(server.Port, 20);
        await receiver.WaitForRequestsAsync(1);
        await Task.Delay(700);
        Assert.Single(receiver.Requests);
        await HttpRequests.SendAsync(server.Port, 30);
        await receiver.WaitForSpansAsync(30);
        await agent.StopAsync();

        Assert.Equal([20, 30], receiver.Requests.Select(request => OtlpSpan.Of(request).Count()));
        Assert.Equal((30, 20), agent.Sent());
        Assert.Single(agent.ErrorLines, line => line.Contains("msg=\"Telemetry cannot be sent\"", StringComparison.Ordinal));
    }

    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData("http/protobuf")]
    [InlineData("http/json")]
    [InlineData("grpc")]
    public async Task A_partial_success_is_counted_and_not_sent_again(string protocol)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await receiver.AnswerAsync(new OtlpAnswer { Partial = new OtlpPartial(7, "too old") });
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, protocol == "grpc" ? receiver.GrpcUrl : receiver.HttpUrl, protocol)
                .With("OTEL_BSP_SCHEDULE_DELAY", "1000"));

        await HttpRequests.SendAsync(server.Port, 20);
        await receiver.WaitForRequestsAsync(1);
        await Task.Delay(500);
        await agent.StopAsync();

        Assert.Single(receiver.Requests);
        Assert.Equal((13, 7), agent.Sent());
        Assert.Contains(agent.ErrorLines, line => line.Contains("too old", StringComparison.Ordinal));
    }

    /// <summary>An answer of more than 4 MiB is not read.</summary>
    [LiveFact("nginx", "otlp-receiver")]
    public async Task A_huge_answer_is_final()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await receiver.AnswerAsync(new OtlpAnswer { Huge = 40_000_000 });
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, receiver.HttpUrl).With("OTEL_BSP_SCHEDULE_DELAY", "1000"));

        await HttpRequests.SendAsync(server.Port, 20);
        await receiver.WaitForRequestsAsync(1);
        await Task.Delay(700);
        await agent.StopAsync();

        Assert.Single(receiver.Requests);
        Assert.Equal((0, 20), agent.Sent());
    }
}
