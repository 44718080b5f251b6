using System.Diagnostics;
using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Propagation;

/// <summary>
/// Three services, each of which asks the next one: one trace for each request, and each span below the one that led to it.
/// </summary>
public sealed class HopTests
{
    private const int Requests = 120;

    /// <summary>
    /// With headers alone what comes later on a connection has none: each thread of a relay, and so each request, has its own.
    /// </summary>
    [LiveTheory("python3")]
    [InlineData("headers", ParentSource.Header)]
    [InlineData("tcp", ParentSource.Option)]
    [InlineData("all", ParentSource.Header)]
    public async Task Each_request_is_one_trace_through_all_services(string way, ParentSource source)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using TestServer last = await RelayAsync(group, 0);
        await using TestServer middle = await RelayAsync(group, last.Port);
        await using TestServer first = await RelayAsync(group, middle.Port);
        await using AgentProcess agent = await PassingAgent.StartAsync(AgentSettings.ForPorts(first.Port, middle.Port, last.Port), way);

        await Parallel.ForEachAsync(
            Enumerable.Range(0, Requests), new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (number, cancel) =>
            {
                using HttpClient client = new();
                using HttpRequestMessage request = new(HttpMethod.Get, $"http://127.0.0.1:{first.Port}/{number}");
                // The test's own client names a trace in the environment of a test run: each request is to begin one.
                Activity.Current = null;
                using HttpResponseMessage response = await client.SendAsync(request, cancel);
                Assert.True(response.IsSuccessStatusCode);
            });

        IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(5 * Requests, static _ => true);
        await agent.StopAsync();
        foreach (IGrouping<string, Span> one in spans.GroupBy(static span => span.Path))
        {
            Assert.Equal(5, one.Count());
            Span a = Server(one, first), b = Server(one, middle), c = Server(one, last), toB = Call(one, middle), toC = Call(one, last);
            Assert.Single(one.Select(static span => span.TraceId).Distinct());
            Assert.Equal(5, one.Select(static span => span.SpanId).Distinct().Count());
            Assert.Equal(("", ParentSource.None), (a.ParentId, a.ParentSource));
            Assert.Equal((a.SpanId, ParentSource.Thread), (toB.ParentId, toB.ParentSource));
            Assert.Equal((toB.SpanId, source), (b.ParentId, b.ParentSource));
            Assert.Equal((b.SpanId, ParentSource.Thread), (toC.ParentId, toC.ParentSource));
            Assert.Equal((toC.SpanId, source), (c.ParentId, c.ParentSource));
        }
    }

    /// <summary>Go's server reads the first byte of a request alone if it comes early; here the client sends it alone.</summary>
    [LiveTheory("python3")]
    [InlineData("headers")]
    [InlineData("tcp")]
    public async Task A_request_whose_first_byte_is_read_alone_is_the_parent_of_its_calls(string way)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using TestServer last = await RelayAsync(group, 0);
        await using TestServer first = await RelayAsync(group, last.Port);
        await using AgentProcess agent = await PassingAgent.StartAsync(AgentSettings.ForPorts(first.Port, last.Port), way);
        const int count = 20;
        using RawConnection connection = await RawConnection.OpenAsync(first.Port);
        for (int number = 0; number < count; number++)
        {
            await connection.SendAsync("G");
            await Task.Delay(20);
            await connection.SendAsync($"ET /{number} HTTP/1.1\r\nHost: x\r\n\r\n");
            Assert.Equal((200, "here"), await connection.ReadAnswerAsync());
        }

        IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(3 * count, static _ => true);
        await agent.StopAsync();
        // The first bytes of a connection may be anything: what they are is known with the second piece.
        foreach (IGrouping<string, Span> one in spans.Where(static span => span.Path != "/0").GroupBy(static span => span.Path))
        {
            Span a = Server(one, first), call = Call(one, last), b = Server(one, last);
            Assert.Equal((a.TraceId, a.SpanId, ParentSource.Thread), (call.TraceId, call.ParentId, call.ParentSource));
            // Only the first request of a connection gets a header.
            Assert.True(way == "headers" || (call.SpanId, ParentSource.Option) == (b.ParentId, b.ParentSource), $"{call}\n{b}");
        }
    }

    /// <summary>A body that waits for <c>100 Continue</c> comes after something was sent, as the next request does.</summary>
    [LiveTheory("python3")]
    [InlineData("headers")]
    [InlineData("tcp")]
    public async Task A_body_after_an_interim_response_is_no_request(string way)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using Echo echo = new();
        int port = FreePort.Next();
        string script = Path.Combine(AppContext.BaseDirectory, "Servers", "Scripts", "nested.py");
        await using TestServer server = await TestServer.StartAsync(
            port, [.. group.Prefix, Tool.Find("python3"), "-I", script, Text(port), Text(echo.Port)]);
        await using AgentProcess agent = await PassingAgent.StartAsync(AgentSettings.ForPorts(port), way);
        const int count = 10;
        using RawConnection connection = await RawConnection.OpenAsync(port);
        for (int number = 0; number < count; number++)
        {
            await connection.SendAsync($"POST /in/{number} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
            Assert.Equal((100, ""), await connection.ReadAnswerAsync());
            await connection.SendAsync("A");
            Assert.Equal((200, "A"), await connection.ReadAnswerAsync());
        }

        IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(2 * count, static _ => true);
        await agent.StopAsync();
        for (int number = 0; number < count; number++)
        {
            Span request = Assert.Single(spans, span => span.Path == $"/in/{number}"), call = Assert.Single(
                spans, span => span.Path == $"/out/{number}");
            Assert.Equal(
                (request.TraceId, request.SpanId, ParentSource.Thread), (call.TraceId, call.ParentId, call.ParentSource));
        }
    }

    private static Span Server(IEnumerable<Span> spans, TestServer server) =>
        Assert.Single(spans, span => span.Kind == SpanKind.Server && span.ServerPort == server.Port);

    private static Span Call(IEnumerable<Span> spans, TestServer server) =>
        Assert.Single(spans, span => span.Kind == SpanKind.Client && span.ServerPort == server.Port);

    private static Task<TestServer> RelayAsync(TestCgroup group, int next)
    {
        int port = FreePort.Next();
        string script = Path.Combine(AppContext.BaseDirectory, "Servers", "Scripts", "relay.py");
        return TestServer.StartAsync(
            port, [.. group.Prefix, Tool.Find("python3"), "-I", script, Text(port), Text(next)]);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
