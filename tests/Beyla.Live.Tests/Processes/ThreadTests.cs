using System.Globalization;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Processes;

/// <summary>
/// Servers of very many threads, and of threads and programs that live for one request: each request is a span, whatever number is the
/// thread's, and a call belongs to the request of its own thread.
/// </summary>
public sealed class ThreadTests
{
    /// <summary>More threads at a time than the agent and the kernel side remember.</summary>
    private const int Threads = 20_000, Requests = 6000;

    [LiveFact("gcc")]
    public async Task Twenty_thousand_threads_are_told_apart()
    {
        int port = FreePort.Next();
        string program = await NativeProgram.BuildAsync("threads", "-pthread");
        await using TestServer server = await StartAsync(port, [program, "pool", Text(port), Text(Threads), Text(port)]);
        Assert.True(Directory.GetDirectories($"/proc/{server.Pid}/task").Length > Threads);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(port));

        await Tool.RunAsync(program, "ask", Text(port), Text(Requests), "/call", "8");

        IReadOnlyList<Span> calls = await agent.WaitForClientSpansAsync(Requests);
        ILookup<string, Span> served = (await agent.WaitForServerSpansAsync(2 * Requests)).ToLookup(static span => span.Path);
        Assert.Equal((Requests, Requests), (served["/call"].Count(), served["/leaf"].Count()));
        // The connections are dealt out in turn: no thread has two of them.
        Assert.Equal(2 * Requests, served["/call"].Concat(served["/leaf"]).Select(static span => span.ThreadId).Distinct().Count());
        Dictionary<string, Span> requests = served["/call"].ToDictionary(static span => span.SpanId!);
        Assert.All(calls, call => Assert.Equal(call.ThreadId, requests[call.ParentId!].ThreadId));
        Assert.Equal(calls.Select(static call => call.SpanId).Order(), served["/leaf"].Select(static span => span.ParentId).Order());
        await agent.StopAsync();
    }

    [LiveFact("gcc")]
    public async Task A_thread_for_each_request_is_seen()
    {
        int port = FreePort.Next();
        string program = await NativeProgram.BuildAsync("threads", "-pthread");
        await using TestServer server = await StartAsync(port, [program, "each", Text(port)]);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(port));

        await Tool.RunAsync(program, "ask", Text(port), Text(Requests), "/hello", "8");

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(Requests);
        Assert.All(spans, span => Assert.Equal((server.Pid, "/hello", 200), (span.ProcessId, span.Path, span.StatusCode)));
        Assert.All(spans, span => Assert.NotEqual(server.Pid, span.ThreadId));
        await agent.StopAsync();
    }

    /// <summary>
    /// As inetd does: whoever listens starts a program for each connection, which has read its request, and often has ended, before it is
    /// known that it listens on nothing itself.
    /// </summary>
    [LiveFact("gcc")]
    public async Task A_program_for_each_request_is_seen()
    {
        int port = FreePort.Next();
        string program = await NativeProgram.BuildAsync("threads", "-pthread");
        await using TestServer server = await StartAsync(port, [program, "exec", Text(port)]);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(port));

        await Tool.RunAsync(program, "ask", Text(port), Text(Requests), "/hello", "8");

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(Requests);
        Assert.All(spans, span => Assert.Equal(("threads", "/hello", 200), (span.ServiceName, span.Path, span.StatusCode)));
        Assert.Equal(Requests, spans.Select(static span => span.ThreadId).Distinct().Count());
        Assert.DoesNotContain(spans, span => span.ProcessId == server.Pid);
        await agent.StopAsync();
        Assert.Equal(0, agent.Counters["spans"].Filtered);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static Task<TestServer> StartAsync(int port, string[] command) => TestServer.StartAsync(port, command, address: null);
}
