using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>
/// Sent bytes and times follow what the socket took, not what it was asked to take. The truth is what the server's own calls returned, and
/// the clock as it read it around them.
/// </summary>
public sealed class SendingTests
{
    private const long Size = 20_000_000;

    private static readonly string[] Modes = ["blocking", "polling", "lowat", "narrow", "zerocopy", "file"];

    /// <summary>An answer that its client reads slowly is over when the socket took its last byte.</summary>
    [LiveTheory("gcc"), SocketSources]
    public async Task A_large_answer_lasts_until_its_last_byte_is_taken(string source)
    {
        await using TestServer server = await ServerKinds.SendingAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        foreach (string mode in Modes)
        {
            string path = $"/{mode}/{Size}";
            long[] client = await SendingClient.RunAsync("get", server.Port, path);
            SentAnswer truth = await SendingClient.TruthAsync(server, path);
            Span span = Assert.Single(await agent.WaitForSpansAsync(1, span => span.Path == path));

            Assert.Equal((path, Size, SpanOutcome.Complete), (path, span.ResponseBodyLength, span.Outcome));
            (long begun, long quarter) = (client[1], client[2]);
            // Three quarters do not fit into the buffers of both sides: when a quarter was read, the last byte was not taken yet.
            long duration = span.Duration.Ticks * TimeSpan.NanosecondsPerTick + 1000;
            Assert.True(
                duration >= Math.Max(truth.Before, quarter) - truth.Read, $"{path}: {span.Duration} is too short: {truth}, {quarter}");
            Assert.True(duration - 1000 <= truth.After - begun, $"{path}: {span.Duration} is too long: {truth}, {begun}");
        }

        await agent.StopAsync();
    }

    /// <summary>An answer whose client leaves is closed, with the bytes that the socket took until then.</summary>
    [LiveTheory("gcc"), SocketSources]
    public async Task An_answer_whose_client_leaves_is_closed_with_what_was_taken(string source)
    {
        await using TestServer server = await ServerKinds.SendingAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        foreach (string mode in Modes)
        {
            string path = $"/{mode}/{Size}";
            await SendingClient.RunAsync("leave", server.Port, path);
            SentAnswer truth = await SendingClient.TruthAsync(server, path);
            Span span = Assert.Single(await agent.WaitForSpansAsync(1, span => span.Path == path));

            Assert.InRange(truth.Body, 1, Size - 1);
            Assert.Equal((path, 200, truth.Body, SpanOutcome.Closed), (path, span.StatusCode, span.ResponseBodyLength, span.Outcome));
        }

        await agent.StopAsync();
    }

    /// <summary>
    /// Chunks in buffers of their own, up to the 1,024 that one call takes (UIO_MAXIOV): small and large, beyond what one event holds, and
    /// more than a socket takes at once.
    /// </summary>
    [LiveTheory("gcc"), SocketSources]
    public async Task Many_pieces_in_one_send(string source)
    {
        await using TestServer server = await ServerKinds.SendingAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        (int, int)[] sizes =
            [(1, 5), (16, 1000), (23, 100), (70, 200), (3, 50_000), (340, 10), (340, 3000), (100, 40_000), (100, 300_000)];
        foreach ((int count, int size) in sizes)
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"/pieces/{count}/{size}");
            await SendingClient.RunAsync("get", server.Port, path);
            Span span = Assert.Single(await agent.WaitForSpansAsync(1, span => span.Path == path));
            Assert.Equal((path, (long)count * size, SpanOutcome.Complete), (path, span.ResponseBodyLength, span.Outcome));
        }

        await agent.StopAsync();
    }

    /// <summary>node joins what is written in one turn of its loop: 16 writes are 50 buffers.</summary>
    [LiveTheory("node"), SocketSources]
    public async Task Node_writes_many_chunks_at_once(string source)
    {
        await using TestServer server = await ServerKinds.NodeAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        int[] counts = [15, 16, 21, 22, 40, 300, 1000];
        foreach (int count in counts)
        {
            await HttpRequests.SendAsync(server.Port, 1, $"/chunked/{count}", connections: 1);
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(counts.Length);
        Assert.Equal(
            counts.Select(count => ($"/chunked/{count}", 6L * count, SpanOutcome.Complete)),
            spans.Select(span => (span.Path, span.ResponseBodyLength ?? -1, span.Outcome)));
        await agent.StopAsync();
    }

    /// <summary>Chunks of both bodies in turns, far more than a connection may have that speaks no HTTP.</summary>
    [LiveTheory("gcc"), SocketSources]
    public async Task Bodies_that_go_both_ways_at_once(string source)
    {
        await using TestServer server = await ServerKinds.SendingAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));

        await SendingClient.RunAsync("duplex", server.Port, "400");

        Span span = await agent.WaitForServerSpanAsync();
        Assert.Equal(
            ("POST", "/duplex/400", 200, 1600L, 1600L, SpanOutcome.Complete),
            (span.Method, span.Path, span.StatusCode, span.RequestBodyLength ?? -1, span.ResponseBodyLength ?? -1, span.Outcome));
        await agent.StopAsync();
    }

    /// <summary>
    /// One byte of urgent data inside the request line: the server does not read it, and the request is there for both sides.
    /// </summary>
    [LiveTheory("gcc"), SocketSources]
    public async Task Urgent_data_hides_no_request(string source)
    {
        const int count = 5;
        await using TestServer server = await ServerKinds.SendingAsync();
        await using ChildProcess client = await SendingClient.StartAsync([], "urgent", server.Port, "5");
        await using AgentProcess agent = await StartForBothAsync(source);
        await agent.WaitUntilTracedAsync(client.Pid);

        Assert.Equal(count, Assert.Single(await SendingClient.FinishAsync(client)));

        foreach (SpanKind kind in new[] { SpanKind.Server, SpanKind.Client })
        {
            IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(count, span => span.Kind == kind && span.ServerPort == server.Port);
            Assert.Equal(
                Enumerable.Range(0, count).Select(i => ($"/urgent/{i}", 200, SpanOutcome.Complete)),
                spans.Select(span => (span.Path, span.StatusCode, span.Outcome)));
        }

        await agent.StopAsync();
    }

    /// <summary>Requests that travel with the SYN (RFC 7413), but for the first, which gets the cookie.</summary>
    [LiveTheory("gcc", "ip"), SocketSources]
    public async Task Requests_in_the_SYN(string source)
    {
        const int count = 4;
        await using NetworkNamespace inside = await NetworkNamespace.CreateAsync();
        string[] prefix = [.. inside.Prefix];
        await Tool.RunAsync(prefix[0], [.. prefix[1..], "sh", "-c", "echo 3 >/proc/sys/net/ipv4/tcp_fastopen"]);
        await using TestServer server = await ServerKinds.SendingAsync(prefix);
        await using AgentProcess agent = await StartForBothAsync(source);
        foreach ((string how, int turn) in new[] { ("sendto", 1), ("connect", 2) })
        {
            await using ChildProcess client = await SendingClient.StartAsync(prefix, "fast", server.Port, "4", how);
            await agent.WaitUntilTracedAsync(client.Pid);
            Assert.Equal(count, Assert.Single(await SendingClient.FinishAsync(client)));

            foreach (SpanKind kind in new[] { SpanKind.Server, SpanKind.Client })
            {
                IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(
                    turn * count, span => span.Kind == kind && span.ServerPort == server.Port);
                Assert.Equal(
                    Enumerable.Range(0, count).Select(i => (how, $"/fast/{i}", 200, SpanOutcome.Complete)),
                    spans.TakeLast(count).Select(span => (how, span.Path, span.StatusCode, span.Outcome)));
            }
        }

        await agent.StopAsync();
    }

    /// <summary>Traces server and clients of these tests.</summary>
    private static async Task<AgentProcess> StartForBothAsync(string source) => await AgentProcess.StartAsync(
        AgentSettings.For("BEYLA_AUTO_TARGET_EXE", await NativeProgram.BuildAsync("sending")).WithSource(source));
}
