using System.Globalization;
using System.Text.RegularExpressions;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>n requests give n server spans, with the same paths and statuses.</summary>
public sealed partial class ExactCountTests
{
    [LiveTheory("nginx"), SocketSources]
    public async Task Ten_thousand_requests_give_ten_thousand_spans(string source)
    {
        await using TestServer server = await Nginx.StartAsync(workers: 2);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));

        string[] paths = [.. Enumerable.Range(0, 10_000).Select(i => (i % 5) switch
        {
            0 => $"/hello/{i}",
            1 => "/small.txt",
            2 => "/status/404",
            3 => "/status/503",
            _ => $"/hello?number={i}",
        })];
        Exchange[] exchanges = await HttpRequests.SendAsync(server.Port, paths);

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(paths.Length);
        AssertSame(exchanges, spans);
        Assert.All(spans, span => Assert.Equal(SpanOutcome.Complete, span.Outcome));
        await agent.StopAsync();
    }

    [LiveTheory("python3"), SocketSources]
    public async Task Python(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await CountAsync(
            server, source, 1000, ["/status/200", "/status/404", "/status/500", "/bytes/20000", "/chunked/3"], ProcessLanguage.Python);
    }

    [LiveTheory("node"), SocketSources]
    public async Task Node(string source)
    {
        await using TestServer server = await ServerKinds.NodeAsync();
        await CountAsync(
            server, source, 2000, ["/status/200", "/status/404", "/status/500", "/bytes/20000", "/chunked/3"], ProcessLanguage.NodeJs);
    }

    [LiveTheory, SocketSources]
    public async Task Kestrel(string source)
    {
        await using TestServer server = await ServerKinds.KestrelAsync();
        await CountAsync(
            server, source, 2000, ["/status/200", "/status/404", "/status/500", "/hello", "/chunked/3"], ProcessLanguage.Dotnet);
    }

    [LiveTheory("gcc"), SocketSources]
    public async Task Every_family_of_system_calls(string source)
    {
        foreach (string calls in new[] { "read", "recv", "msg", "vec" })
        {
            await using TestServer server = await ServerKinds.NativeAsync(calls);
            await CountAsync(server, source, 500, ["/status/200", "/status/404", "/file"], language: null);
        }
    }

    [LiveTheory("python3", "curl"), SocketSources]
    public async Task Curl_with_a_connection_for_each_request(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync("http10");
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));

        await Tool.RunAsync("curl", "-s", $"http://127.0.0.1:{server.Port}/close/[1-100]");

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(100);
        Assert.Equal(Enumerable.Range(1, 100).Select(i => $"/close/{i}").Order(), spans.Select(span => span.Path).Order());
        Assert.All(spans, span => Assert.Equal((200, 14L, SpanOutcome.Complete), (span.StatusCode, span.ResponseBodyLength, span.Outcome)));
        Assert.Equal(100, spans.Select(span => span.Connection).Distinct().Count());
        await agent.StopAsync();
    }

    /// <summary>wrk does not count its last requests: as many as it has connections may be under way when it stops.</summary>
    [LiveTheory("nginx", "wrk"), SocketSources]
    public async Task Wrk_at_full_speed(string source)
    {
        const int connections = 32;
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));

        string report = await Tool.RunAsync("wrk", "-t1", $"-c{connections}", "-d2s", $"http://127.0.0.1:{server.Port}/small.txt");
        int reported = int.Parse(RequestsOfWrk().Match(report).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

        await Wait.UntilAsync(() => agent.Spans.Count >= reported, Wait.Hang);
        await Task.Delay(300);
        Assert.InRange(agent.Spans.Count, reported, reported + connections);
        Assert.All(agent.Spans.Take(reported), span => Assert.Equal((200, "/small.txt"), (span.StatusCode, span.Path)));
        await agent.StopAsync();
    }

    private static async Task CountAsync(TestServer server, string source, int count, string[] paths, ProcessLanguage? language)
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));

        Exchange[] exchanges = await HttpRequests.SendAsync(
            server.Port, [.. Enumerable.Range(0, count).Select(i => paths[i % paths.Length])]);

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(count);
        AssertSame(exchanges, spans);
        Assert.All(spans, span => Assert.Equal(("GET", server.Port, SpanOutcome.Complete), (span.Method, span.ServerPort, span.Outcome)));
        Assert.All(spans, span => Assert.Equal(server.Pid, span.ProcessId));
        if (language is not null)
        {
            Assert.All(spans, span => Assert.Equal(language, span.Language));
        }

        foreach (Span span in spans)
        {
            string[] parts = span.Path.Split('/');
            if (parts[1] is "bytes" or "chunked" or "file")
            {
                Assert.Equal(parts[1] switch { "bytes" => 20000, "file" => 100_000, _ => 18 }, span.ResponseBodyLength);
            }
        }

        await agent.StopAsync();
    }

    private static void AssertSame(IEnumerable<Exchange> exchanges, IEnumerable<Span> spans) => Assert.Equal(
        exchanges.GroupBy(exchange => exchange).Select(group => (group.Key.Path, group.Key.Status, group.Count())).Order(),
        spans.GroupBy(span => (Path: span.Query.Length == 0 ? span.Path : $"{span.Path}?{span.Query}", span.StatusCode))
            .Select(group => (group.Key.Path, group.Key.StatusCode, group.Count())).Order());

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex RequestsOfWrk();
}
