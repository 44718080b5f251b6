using System.Diagnostics;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Keeper;

/// <summary>A keeper that stands still for a while: the worker waits for it, and holds that against no process.</summary>
public sealed class SilenceTests
{
    /// <summary>
    /// Longer than a look may last (2 seconds) after the second one that each process gets, which begins half a second after the first.
    /// </summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(4);

    [LiveFact("nginx")]
    public async Task A_process_that_is_looked_at_meanwhile_is_not_to_blame_and_one_that_starts_is_traced()
    {
        int port = FreePort.Next(), later = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.ForPorts(port, later).With("BEYLA_LOG_LEVEL", "DEBUG"));
        await using TestServer server = await Nginx.StartAsync(port: port);
        await agent.WaitUntilTracedAsync(server.Pid);
        await HttpRequests.SendAsync(port, 10);

        agent.Signal(ChildProcess.SIGSTOP);
        long since = Stopwatch.GetTimestamp();
        // The second look is waited for before anything makes the thread of events ask the keeper.
        await Task.Delay(TimeSpan.FromSeconds(3));
        await using TestServer other = await Nginx.StartAsync(port: later);
        await HttpRequests.SendAsync(later, 10);
        await Task.Delay(Silence - Stopwatch.GetElapsedTime(since));
        agent.Signal(ChildProcess.SIGCONT);

        await agent.WaitUntilTracedAsync(other.Pid);
        await HttpRequests.SendAsync(port, 10);
        await HttpRequests.SendAsync(later, 10);
        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(40);
        Assert.All([port, later], served => Assert.Equal(20, spans.Count(span => span.LocalPort == served)));
        Assert.All(spans, static span => Assert.Equal("nginx", span.ServiceName));
        await agent.StopAsync();
        Assert.Contains("The keeper did not answer", agent.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("could not be looked at", agent.Errors, StringComparison.Ordinal);
        Assert.Equal(0, agent.Counters["inspections"].Lost);
    }
}
