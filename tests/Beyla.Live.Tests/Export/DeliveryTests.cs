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
        await using AgentProcess agent = await AgentProcess.StartAsync(ExportingAgent.For(server.Port, receiver.HttpUrl).InBatchesOf(50));
        // A date has whole seconds.
        DateTimeOffset date = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 3);
        await receiver.AnswerAsync(OtlpAnswer.RetryAfter(
            status, after == "date" ? date.ToString("R", CultureInfo.InvariantCulture) : after));

        await HttpRequests.SendAsync(server.Port, 50);
        await receiver.WaitForSpansAsync(50);
        await agent.StopAsync();

        IReadOnlyList<OtlpRequest> requests = receiver.Requests;
        Assert.Equal([false, true], requests.Select(request => request.Taken));
        Assert.Equal(requests[0].Hash, requests[1].Hash);
        // Both clocks are this host's, read in milliseconds.
        DateTimeOffset due = after == "date" ? date : requests[0].At.AddSeconds(1);
        Assert.True(requests[1].At >= due.AddMilliseconds(-10), $"It came again at {requests[1].At:O}, but was to wait until {due:O}.");
        Assert.Equal((50, 0), agent.Sent());
    }

    /// <summary>0 is a connection that ends without an answer.</summary>
    [LiveTheory("nginx", "otlp-receiver")]
    [InlineData("http/protobuf", 429, 502, 503, 504, 0)]
    [InlineData("grpc", 1, 4, 10, 11, 14, 15, 0)]
    public async Task Sent_again(string protocol, params int[] statuses)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, protocol == "grpc" ? receiver.GrpcUrl : receiver.HttpUrl, protocol));
        int sent = 0;
        foreach (int status in statuses)
        {
            int before = receiver.Requests.Count;
            await receiver.AnswerAsync((status == 0 ? new OtlpAnswer { Close = true } : OtlpAnswer.Code(status)) with { Times = 2 });
            await HttpRequests.SendAsync(server.Port, 20);
            await receiver.WaitForSpansAsync(sent += 20);

            OtlpRequest[] requests = [.. receiver.Requests.Skip(before).Take(3)];
            Assert.Equal([false, false, true], requests.Select(request => request.Taken));
            Assert.True(requests.Select(request => request.Hash).Distinct().Count() == 1, $"{status}: other bytes came");
        }

        await agent.StopAsync();
        Assert.Equal((sent, 0), agent.Sent());
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
    [InlineData("http/protobuf", 400, 401, 404, 413, 500, 307)]
    [InlineData("grpc", 3, 8, 12, 13, 16)]
    public async Task Final_and_counted_as_lost(string protocol, params int[] statuses)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(server.Port, protocol == "grpc" ? receiver.GrpcUrl : receiver.HttpUrl, protocol)
                .InBatchesOf(20));
        Dictionary<string, string> elsewhere = new(StringComparer.Ordinal) { ["Location"] = receiver.HttpUrl + "/v1/traces" };

        for (int i = 0; i < statuses.Length; i++)
        {
            await receiver.AnswerAsync(OtlpAnswer.Code(statuses[i]) with
            {
                Text = "not today", Headers = statuses[i] == 307 ? elsewhere : null,
            });
            await HttpRequests.SendAsync(server.Port, 20);
            await receiver.WaitForRequestsAsync(i + 1);
            // The first wait before it would come again is at most 200 ms.
            await Task.Delay(400);
            Assert.True(receiver.Requests.Count == i + 1, $"{statuses[i]}: it came again");
        }

        await HttpRequests.SendAsync(server.Port, 40);
        await receiver.WaitForSpansAsync(40);
        await agent.StopAsync(ChildProcess.SIGINT, "otlp.traces");

        Assert.Equal(Enumerable.Repeat(20, statuses.Length + 2), receiver.Requests.Select(request => OtlpSpan.Of(request).Count()));
        Assert.Equal((40, 20 * statuses.Length), agent.Sent());
        Assert.Single(agent.ErrorLines, line => line.Contains("msg=\"Telemetry cannot be sent\"", StringComparison.Ordinal));
        Assert.Single(agent.ErrorLines, line => line.Contains("msg=\"The receiver takes telemetry again\"", StringComparison.Ordinal));
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
                .InBatchesOf(20));

        await HttpRequests.SendAsync(server.Port, 20);
        await receiver.WaitForRequestsAsync(1);
        await Task.Delay(500);
        await agent.StopAsync(ChildProcess.SIGINT, "otlp.traces");

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
            ExportingAgent.For(server.Port, receiver.HttpUrl).InBatchesOf(20));

        await HttpRequests.SendAsync(server.Port, 20);
        await receiver.WaitForRequestsAsync(1);
        await Task.Delay(700);
        await agent.StopAsync(ChildProcess.SIGINT, "otlp.traces");

        Assert.Single(receiver.Requests);
        Assert.Equal((0, 20), agent.Sent());
    }
}
