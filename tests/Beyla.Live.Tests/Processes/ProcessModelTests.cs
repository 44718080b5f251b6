using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Processes;

/// <summary>Servers that answer in other processes than the one that listens.</summary>
public sealed class ProcessModelTests
{
    [LiveTheory("python3"), SocketSources]
    public async Task A_process_for_each_connection(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync("forking");
        await using AgentProcess agent = await StartAsync(server, source);

        await EachOnItsOwnConnectionAsync(server.Port, 30, "/status/404");

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(30);
        Assert.All(spans, span => Assert.Equal(("/status/404", 404, ProcessLanguage.Python), (span.Path, span.StatusCode, span.Language)));
        Assert.Equal(30, spans.Select(span => span.ProcessId).Distinct().Count());
        Assert.DoesNotContain(spans, span => span.ProcessId == server.Pid);
        await agent.StopAsync();
    }

    [LiveTheory("busybox", "curl"), SocketSources]
    public async Task Busybox_httpd(string source)
    {
        await using TestServer server = await ServerKinds.BusyboxAsync();
        await using AgentProcess agent = await StartAsync(server, source);

        await Tool.RunAsync("curl", "-s", $"http://127.0.0.1:{server.Port}/index.html?[1-40]");
        await Tool.RunAsync("curl", "-s", $"http://127.0.0.1:{server.Port}/missing/[1-10]");

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(50);
        Assert.Equal(40, spans.Count(span => (span.Path, span.StatusCode) == ("/index.html", 200)));
        Assert.Equal(10, spans.Count(span => span.Path.StartsWith("/missing/", StringComparison.Ordinal) && span.StatusCode == 404));
        await agent.StopAsync();
    }

    [LiveTheory("python3"), SocketSources]
    public async Task Sockets_passed_to_workers_of_python(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync("passing");
        await using AgentProcess agent = await StartAsync(server, source);

        await EachOnItsOwnConnectionAsync(server.Port, 40, "/status/202");

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(40);
        Assert.All(spans, span => Assert.Equal(202, span.StatusCode));
        Assert.Equal(2, spans.Select(span => span.ProcessId).Distinct().Count());
        Assert.DoesNotContain(spans, span => span.ProcessId == server.Pid);
        await agent.StopAsync();
    }

    [LiveTheory("node"), SocketSources]
    public async Task Sockets_passed_to_workers_of_node(string source)
    {
        await using TestServer server = await ServerKinds.NodeAsync(workers: 2);
        await using AgentProcess agent = await StartAsync(server, source);

        await EachOnItsOwnConnectionAsync(server.Port, 40, "/status/202");

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(40);
        Assert.All(spans, span => Assert.Equal((202, ProcessLanguage.NodeJs), (span.StatusCode, span.Language)));
        Assert.Equal(2, spans.Select(span => span.ProcessId).Distinct().Count());
        await agent.StopAsync();
    }

    /// <summary>nginx's workers are started before the agent knows them, and replaced while it runs.</summary>
    [LiveFact("nginx")]
    public async Task Workers_that_are_replaced()
    {
        await using TestServer server = await Nginx.StartAsync(workers: 2);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port));

        await EachOnItsOwnConnectionAsync(server.Port, 20, "/hello");
        HashSet<int> before = [.. (await agent.WaitForServerSpansAsync(20)).Select(span => span.ProcessId)];
        int[] workers = ChildProcessIds.Of(server.Pid);
        server.Process.Signal(ChildProcess.SIGHUP);
        Assert.True(
            await Wait.UntilAsync(() => ChildProcessIds.Of(server.Pid) is { Length: 2 } now && !now.Intersect(workers).Any(), Wait.Hang));
        await EachOnItsOwnConnectionAsync(server.Port, 20, "/hello");

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(40);
        Assert.Subset(workers.ToHashSet(), before);
        Assert.Subset(ChildProcessIds.Of(server.Pid).ToHashSet(), spans.Skip(20).Select(span => span.ProcessId).ToHashSet());
        await agent.StopAsync();
    }

    private static async Task EachOnItsOwnConnectionAsync(int port, int count, string path)
    {
        for (int i = 0; i < count; i++)
        {
            using RawConnection connection = await RawConnection.OpenAsync(port);
            await connection.GetAsync(path);
        }
    }

    private static Task<AgentProcess> StartAsync(TestServer server, string source) =>
        AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
}
