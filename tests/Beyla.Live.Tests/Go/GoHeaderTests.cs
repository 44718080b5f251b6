using System.Globalization;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Go;

/// <summary>
/// Headers written into requests of a Go program (tests/go/headers.go). The kernel lets nobody do that under lockdown, as most test
/// machines have it: then it is said, and tracing goes on. tests/vm/guest-go-headers has the rest.
/// </summary>
public sealed class GoHeaderTests
{
    private const int Requests = 60;

    /// <summary>With system calls as the source no program of a control group puts anything in.</summary>
    [LiveFact("go", "gcc")]
    public async Task What_the_kernel_refuses_is_said_and_tracing_goes_on()
    {
        string binary = await GoProgram.BuildAsync("headers");
        int backend = FreePort.Next(), port = FreePort.Next();
        await using TestServer mirror = await TestServer.StartAsync(backend, [binary, "mirror", Text(backend)]);
        await using TestServer server = await TestServer.StartAsync(port, [binary, "serve", Text(port), Text(backend)]);
        string[][] before = await AskAsync(binary, port);
        Assert.All(before, static line => Assert.True(line is [_, "own" or "lower", ..] or [_, _, _, "none", _], string.Join(' ', line)));

        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.ForPorts(port).With("BEYLA_BPF_CONTEXT_PROPAGATION", "headers").WithSource("syscalls"));
        bool writes = agent.Errors.Contains("msg=\"Writing headers into requests of Go programs\" which=all", StringComparison.Ordinal);
        const string Refused = "msg=\"Headers are not written into requests of Go programs\" error=\"load eBPF object go_write: E";
        Assert.Equal(!writes, agent.Errors.Contains(Refused, StringComparison.Ordinal));

        string[][] with = await AskAsync(binary, port);
        await Wait.UntilAsync(() => agent.Spans.Count >= 2 * Requests, TimeSpan.FromSeconds(8));
        await agent.StopAsync();
        Assert.Equal(before.Select(static line => (line[1], line[2], line[4])), with.Select(static line => (line[1], line[2], line[4])));
        Assert.Equal(Requests * (writes ? 8 : 2) / 10, with.Count(static line => line[3] != "none"));
        Assert.Equal(Requests, agent.Spans.Count(static span => span.Kind == SpanKind.Client));
        Assert.Equal(Requests, agent.Spans.Count(static span => span.Kind == SpanKind.Server));
    }

    private static async Task<string[][]> AskAsync(string binary, int port)
    {
        string said = await Tool.RunAsync(binary, "ask", Text(port), Text(Requests), "4");
        return [.. said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split(' '))];
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
