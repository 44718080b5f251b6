using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>The shapes that an HTTP/1 exchange takes on real sockets.</summary>
public sealed class MessageTests
{
    [LiveTheory("python3"), SocketSources]
    public async Task Pipelined_requests_are_told_apart(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        await connection.SendAsync(
            string.Concat(Enumerable.Range(0, 10).Select(i => $"GET /status/{200 + i % 3}?n={i} HTTP/1.1\r\nHost: a\r\n\r\n")));
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(200 + i % 3, (await connection.ReadAnswerAsync()).Status);
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(10);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (200 + i % 3, $"n={i}")), spans.Select(span => (span.StatusCode, span.Query)));
        Assert.Single(spans.Select(span => span.Connection).Distinct());
        await agent.StopAsync();
    }

    [LiveTheory("python3"), SocketSources]
    public async Task Answers_without_a_body_do_not_shift_the_next(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        (string Method, string Path, int Status, long Length)[] expected =
        [
            ("HEAD", "/bytes/500", 200, 0), ("GET", "/status/204", 204, 0), ("GET", "/status/304", 304, 0), ("GET", "/bytes/0", 200, 0),
            ("GET", "/bytes/12345", 200, 12345), ("HEAD", "/status/404", 404, 0), ("GET", "/chunked/4", 200, 24),
        ];
        foreach ((string method, string path, int status, _) in expected)
        {
            Assert.Equal(status, (await connection.GetAsync(path, method)).Status);
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(expected.Length);
        Assert.Equal(expected, spans.Select(span => (span.Method, span.Path, span.StatusCode, span.ResponseBodyLength ?? -1)));
        await agent.StopAsync();
    }

    [LiveTheory("nginx"), SocketSources]
    public async Task Large_answers_with_and_without_sendfile(string source)
    {
        foreach (bool sendfile in new[] { true, false })
        {
            await using TestServer server = await Nginx.StartAsync(sendfile: sendfile);
            await using AgentProcess agent = await StartAsync(server, source);

            await HttpRequests.SendAsync(
                server.Port, [.. Enumerable.Repeat("/large.bin", 20), .. Enumerable.Repeat("/small.txt", 20)], connections: 2);

            IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(40);
            Assert.All(spans, span => Assert.Equal(
                (200, span.Path == "/large.bin" ? 1_000_000L : 800L, SpanOutcome.Complete),
                (span.StatusCode, span.ResponseBodyLength, span.Outcome)));
            Assert.Equal(20, spans.Count(span => span.Path == "/large.bin"));
            await agent.StopAsync();
        }
    }

    [LiveTheory("python3", "curl"), SocketSources]
    public async Task An_upload_that_waits_for_100_continue_is_one_span(string source)
    {
        using TempDirectory files = new();
        string body = files.Write("body", new string('b', 1_500_000));
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await StartAsync(server, source);

        string url = $"http://127.0.0.1:{server.Port}/upload";
        string answers = await Tool.RunAsync("curl", "-s", "-H", "Expect: 100-continue", "--data-binary", $"@{body}", url, url);
        Assert.Equal("1500000\n1500000", answers);

        foreach (Span span in await agent.WaitForServerSpansAsync(2))
        {
            Assert.Equal(("POST", "/upload", 200, 1_500_000L, 8L),
                (span.Method, span.Path, span.StatusCode, span.RequestBodyLength, span.ResponseBodyLength));
        }

        await agent.StopAsync();
    }

    [LiveTheory("python3"), SocketSources]
    public async Task A_head_that_comes_in_pieces_is_whole(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        const string request = "GET /status/201?a=b HTTP/1.1\r\nHost: pieces.example\r\nX-Long: 0123456789\r\n\r\n";
        foreach (char piece in request)
        {
            await connection.SendAsync(piece.ToString());
            await Task.Delay(1);
        }

        Assert.Equal(201, (await connection.ReadAnswerAsync()).Status);
        Span span = await agent.WaitForServerSpanAsync();
        Assert.Equal(("/status/201", "a=b", "pieces.example", 201), (span.Path, span.Query, span.Host, span.StatusCode));
        Assert.True(span.Duration >= TimeSpan.FromMilliseconds(request.Length), "The span begins with the first byte of the request.");
        Assert.True(span.HandlerDuration < span.Duration / 2, "The handler begins after the last byte of the head.");
        await agent.StopAsync();
    }

    [LiveTheory("node"), SocketSources]
    public async Task A_switch_of_protocols_ends_the_span_and_what_follows_is_not_HTTP(string source)
    {
        await using TestServer server = await ServerKinds.NodeAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        await connection.SendAsync("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        Assert.Equal(101, (await connection.ReadAnswerAsync()).Status);
        const string imitation = "GET /imitation HTTP/1.1\r\nHost: a\r\n\r\n";
        await connection.SendAsync(imitation);
        Assert.Equal(imitation, await connection.TakeAsync(imitation.Length));
        // The agent has seen the switch, and what it said of it holds from one of the next turns on.
        Span span = await agent.WaitForServerSpanAsync();
        for (int i = 0; i < 40; i++)
        {
            await connection.SendAsync("\u0081\u0003abc");
            await connection.TakeAsync(5);
        }

        Assert.Equal(("/chat", 101, SpanOutcome.Upgraded), (span.Path, span.StatusCode, span.Outcome));
        await agent.StopAsync();
        // The connection is open, and nothing is kept of it.
        Assert.Equal((1, 1), (agent.Counters["tracing connections"].Produced, agent.Counters["tracing connections"].Aggregated));
    }

    [LiveTheory("python3"), SocketSources]
    public async Task An_answer_before_the_request_is_complete(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        await connection.SendAsync("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n0123456789");
        Assert.Equal(413, (await connection.ReadAnswerAsync()).Status);

        Span span = await agent.WaitForServerSpanAsync();
        Assert.Equal(("/early", 413), (span.Path, span.StatusCode));
        await agent.StopAsync();
    }

    [LiveTheory("python3"), SocketSources]
    public async Task A_request_that_nobody_answers_in_time(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.ForPorts(server.Port).WithSource(source).With("BEYLA_BPF_HTTP_REQUEST_TIMEOUT", "300ms"));
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        Task<(int Status, TimeSpan)> slow = connection.GetAsync("/sleep/1200");
        Span span = await agent.WaitForServerSpanAsync();
        Assert.Equal(("/sleep/1200", 408, SpanOutcome.TimedOut), (span.Path, span.StatusCode, span.Outcome));
        Assert.Equal(200, (await slow).Status);

        // The late answer makes no second span, and the connection is understood again from the next request on.
        Assert.Equal(200, (await connection.GetAsync("/next")).Status);
        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(2);
        Assert.Equal(("/next", 200), (spans[1].Path, spans[1].StatusCode));
        await agent.StopAsync();
    }

    private static Task<AgentProcess> StartAsync(TestServer server, string source) =>
        AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
}
