using System.Globalization;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>
/// A connection that goes from hand to hand (tests/native/handed.c): to another process and back (SCM_RIGHTS), to a child (fork), to a
/// duplicate, to a socket that is made anew from it (TCP_REPAIR), while a request waits in it.
/// </summary>
public sealed class HandedTests
{
    private const int Connections = 3, Requests = 8;

    /// <summary>Each request is one span, of the process that read it, which says so itself.</summary>
    [LiveTheory("gcc"), SocketSources]
    public async Task Each_request_is_a_span_of_who_read_it(string source)
    {
        await using TestServer server = await StartServerAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        string[] truth = await AskAsync(server);

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(Connections * Requests);
        Assert.Equal(truth, Lines(spans));
        Assert.All(spans, static span => Assert.Equal((204, SpanOutcome.Complete), (span.StatusCode, span.Outcome)));
        Assert.All(agent.Spans, static span => Assert.Equal(SpanKind.Server, span.Kind));
        await agent.StopAsync();
    }

    /// <summary>Of the same those that the selected process and its child read: the other process was there before.</summary>
    [LiveTheory("gcc"), SocketSources]
    public async Task What_an_unselected_process_reads_is_no_span(string source)
    {
        await using TestServer server = await StartServerAsync();
        string pid = server.Pid.ToString(CultureInfo.InvariantCulture);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.For("BEYLA_TARGET_PID", pid).WithSource(source));
        string[] truth = [.. (await AskAsync(server)).Where(static line => !line.StartsWith("/handed/2 ", StringComparison.Ordinal)
            && !line.StartsWith("/handed/3 ", StringComparison.Ordinal))];

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(truth.Length);
        Assert.Equal(truth, Lines(spans));
        Assert.All(spans, static span => Assert.Equal((204, SpanOutcome.Complete), (span.StatusCode, span.Outcome)));
        Assert.Equal(truth.Length, agent.Spans.Count);
        await agent.StopAsync();
    }

    private static async Task<TestServer> StartServerAsync()
    {
        int port = FreePort.Next();
        string binary = await NativeProgram.BuildAsync("handed");
        return await TestServer.StartAsync(port, [binary, "serve", port.ToString(CultureInfo.InvariantCulture)], address: null);
    }

    /// <summary>What the server says of the requests, in an order of its own: that of spans is no promise.</summary>
    private static async Task<string[]> AskAsync(TestServer server)
    {
        string port = server.Port.ToString(CultureInfo.InvariantCulture), binary = await NativeProgram.BuildAsync("handed");
        for (int i = 0; i < Connections; i++)
        {
            Assert.Equal($"answers {Requests}", (await Tool.RunAsync(binary, "ask", port)).TrimEnd());
        }

        string[] Lines() => [.. server.Process.OutputLines.Where(static line => line.StartsWith('/'))];
        Assert.True(await Wait.UntilAsync(() => Lines().Length == Connections * Requests, Wait.Hang), server.Process.Errors);
        return [.. Lines().Order(StringComparer.Ordinal)];
    }

    private static IEnumerable<string> Lines(IEnumerable<Span> spans) => spans
        .Select(static span => string.Create(CultureInfo.InvariantCulture, $"{span.Path} {span.ProcessId}")).Order(StringComparer.Ordinal);
}
