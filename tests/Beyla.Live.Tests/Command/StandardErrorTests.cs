using System.Diagnostics;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Command;

/// <summary>Callers that give standard error away, or do not give it at all.</summary>
public sealed class StandardErrorTests
{
    [LiveFact("nginx")]
    public async Task A_full_pipe_that_nobody_reads_delays_neither_tracing_nor_the_end()
    {
        using TempDirectory files = new();
        string pipe = Path.Combine(files.Path, "pipe");
        await using TestServer server = await Nginx.StartAsync();
        // The pipe is full (64 KB) before the agent starts, and held open by the agent itself.
        await using AgentProcess agent = AgentProcess.Launch(AgentSettings.ForPorts(server.Port) with
        {
            Prefix = [Tool.Find("sh"), "-c", """mkfifo "$0" && exec 3<>"$0" && head -c 65536 /dev/zero >&3 && exec "$@" 2>&3""", pipe],
        });
        await TraceAsync(agent, server);

        agent.Signal(ChildProcess.SIGUSR1);
        agent.Signal(ChildProcess.SIGINT);
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        Assert.NotNull(agent.LastLine);
    }

    [LiveTheory("nginx")]
    [InlineData("2>&-")]
    [InlineData("0<&- 2>&-")]
    [InlineData("2>/dev/full")]
    public async Task Descriptors_that_are_closed_or_full_do_no_harm(string redirection)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = AgentProcess.Launch(AgentSettings.ForPorts(server.Port) with
        {
            Prefix = [Tool.Find("sh"), "-c", $"exec \"$@\" {redirection}", "sh"],
        });
        await TraceAsync(agent, server);

        agent.Signal(ChildProcess.SIGUSR1);
        agent.Signal(ChildProcess.SIGINT);
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        Assert.NotNull(agent.LastLine);
    }

    [LiveTheory]
    [InlineData("--help")]
    [InlineData("config")]
    public async Task An_answer_that_cannot_be_written_is_a_failure_with_its_reason(string argument)
    {
        await using AgentProcess agent = AgentProcess.Launch(new AgentSettings
        {
            Prefix = [Tool.Find("sh"), "-c", "exec \"$@\" >/dev/full", "sh"], Arguments = [argument],
        });
        Assert.Equal(1, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("No space left on device", Assert.Single(agent.ErrorLines), StringComparison.Ordinal);
    }

    /// <summary>The log cannot tell when the agent is ready, so requests are sent until one is seen.</summary>
    private static async Task TraceAsync(AgentProcess agent, TestServer server)
    {
        long start = Stopwatch.GetTimestamp();
        while (agent.Spans.Count == 0)
        {
            Assert.False(agent.HasExited, agent.Errors);
            Assert.True(Stopwatch.GetElapsedTime(start) < Wait.Hang, "no span");
            await HttpRequests.SendAsync(server.Port, 1);
            await Task.Delay(20);
        }
    }
}
