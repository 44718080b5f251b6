using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>Exchanges that one side breaks off.</summary>
public sealed class UnfinishedTests
{
    [LiveTheory("python3"), SocketSources]
    public async Task A_server_that_dies_in_mid_request(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        await connection.SendAsync("GET /sleep/20000 HTTP/1.1\r\nHost: a\r\n\r\n");
        await Task.Delay(200);
        server.Process.Signal(ChildProcess.SIGKILL);
        await connection.ReadToEndAsync();

        await AssertClosedAsync(agent, "/sleep/20000");
        Assert.InRange(agent.Spans.Single().Duration, TimeSpan.FromMilliseconds(150), TimeSpan.FromSeconds(20));
        await agent.StopAsync();
    }

    [LiveTheory("python3"), SocketSources]
    public async Task A_server_that_exits_instead_of_answering(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        await connection.SendAsync("GET /die HTTP/1.1\r\nHost: a\r\n\r\n");
        await connection.ReadToEndAsync();

        await AssertClosedAsync(agent, "/die");
        await agent.StopAsync();
    }

    [LiveTheory("python3"), SocketSources]
    public async Task A_server_that_resets_the_connection(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        await connection.SendAsync("GET /reset HTTP/1.1\r\nHost: a\r\n\r\n");
        await connection.ReadToEndAsync();

        await AssertClosedAsync(agent, "/reset");
        await agent.StopAsync();
    }

    [LiveTheory("node"), SocketSources]
    public async Task A_client_that_resets_the_connection(string source)
    {
        await using TestServer server = await ServerKinds.NodeAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using (RawConnection connection = await RawConnection.OpenAsync(server.Port))
        {
            await connection.SendAsync("GET /sleep/1000 HTTP/1.1\r\nHost: a\r\n\r\n");
            await Task.Delay(200);
            connection.Reset();
        }

        await AssertClosedAsync(agent, "/sleep/1000");
        await agent.StopAsync();
    }

    /// <summary>
    /// node answers half a head with 400, which its client may or may not be there to get; either way the next request is whole.
    /// </summary>
    [LiveTheory("node"), SocketSources]
    public async Task A_client_that_closes_after_half_a_head(string source)
    {
        await using TestServer server = await ServerKinds.NodeAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using (RawConnection connection = await RawConnection.OpenAsync(server.Port))
        {
            await connection.SendAsync("GET /half HTTP/1.1\r\nHost: a\r\nX-");
            await Task.Delay(100);
        }

        await HttpRequests.SendAsync(server.Port, 1, "/whole");
        Assert.Equal(200, (await agent.WaitForSpansAsync(1, span => span.Path == "/whole"))[0].StatusCode);
        Assert.All(
            agent.Spans.Where(span => span.Path != "/whole"),
            span => Assert.True(span is { Path: "/half", StatusCode: 0 or 400 }, $"{span}"));
        await agent.StopAsync();
    }

    /// <summary>
    /// What is read from a socket that is closed already, after a reset or after both FINs, and what follows at the same address of a freed
    /// socket.
    /// </summary>
    [LiveTheory("gcc"), SocketSources]
    public async Task Connections_that_are_over_before_they_are_read(string source)
    {
        const int count = 50;
        await using TestServer server = await ServerKinds.LateAsync(count);
        await using AgentProcess agent = await StartAsync(server, source);

        server.Process.CloseInput();
        Assert.Equal(0, await server.Process.WaitForExitAsync(Wait.Hang));

        foreach (SpanKind kind in new[] { SpanKind.Server, SpanKind.Client })
        {
            IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(2 * count, span => span.Kind == kind);
            Assert.Equal(
                Enumerable.Range(0, count)
                    .SelectMany(i => new[] { ($"/gone/{i}", 0, SpanOutcome.Closed), ($"/half/{i}", 200, SpanOutcome.Complete) }),
                spans.Select(span => (span.Path, span.StatusCode, span.Outcome)));
            Assert.All(spans, span => Assert.Equal((server.Port, server.Pid), (span.ServerPort, span.ProcessId)));
            Assert.All(spans.Where(span => span.StatusCode == 200), span => Assert.Equal(14, span.ResponseBodyLength));
        }

        await agent.StopAsync();
        // Each connection had an end of its own.
        Assert.Equal(4 * count, agent.Counters["tracing connections"].Aggregated);
    }

    private static async Task AssertClosedAsync(AgentProcess agent, string path)
    {
        Span span = await agent.WaitForServerSpanAsync();
        Assert.Equal((path, 0, SpanOutcome.Closed), (span.Path, span.StatusCode, span.Outcome));
    }

    private static Task<AgentProcess> StartAsync(TestServer server, string source) =>
        AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
}
