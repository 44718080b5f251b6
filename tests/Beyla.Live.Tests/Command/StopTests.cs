using System.Text.Json;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Command;

/// <summary>How the agent ends, and what it leaves.</summary>
public sealed class StopTests
{
    [LiveTheory("nginx"), InlineData(ChildProcess.SIGINT), InlineData(ChildProcess.SIGTERM)]
    public async Task A_signal_ends_it_and_nothing_stays(int signal)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port));
        await HttpRequests.SendAsync(server.Port, 100);
        BpfFootprint held = BpfFootprint.Of(agent.Pid);
        Assert.NotEmpty(held.Programs);
        Assert.NotEmpty(held.Maps);

        await agent.StopAsync(signal);
        Assert.Equal(100, agent.Spans.Count); // what was under way is written before the end
        await AssertNothingLeftAsync(held);
    }

    [LiveFact("nginx")]
    public async Task Killed_it_leaves_nothing_attached()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port));
        await HttpRequests.SendAsync(server.Port, 100);
        BpfFootprint held = BpfFootprint.Of(agent.Pid);
        Assert.NotEmpty(held.Programs);

        agent.Signal(ChildProcess.SIGKILL);
        Assert.Equal(128 + ChildProcess.SIGKILL, await agent.WaitForExitAsync(Wait.Hang));
        await AssertNothingLeftAsync(held);
    }

    [LiveFact("nginx")]
    public async Task SIGUSR1_prints_counters_that_agree()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port));
        await HttpRequests.SendAsync(server.Port, 100);
        await agent.WaitForServerSpansAsync(100);

        agent.Signal(ChildProcess.SIGUSR1);
        Assert.True(await Wait.UntilAsync(() => agent.Counters.ContainsKey("printer"), Wait.Hang), agent.Errors);
        await Task.Delay(100);
        Assert.Equal(100, agent.Counters["printer"].Emitted);
        Assert.All(agent.Counters.Values, count => Assert.True(count.Balanced, AgentLog.Describe(count)));
        await agent.StopAsync();
    }

    [LiveFact("nginx")]
    public async Task A_log_in_JSON_has_no_other_lines()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = AgentProcess.Launch(AgentSettings.ForPorts(server.Port).With("BEYLA_LOG_FORMAT", "json"));
        Assert.True(
            await Wait.UntilAsync(() => agent.Errors.Contains("Beyla is tracing", StringComparison.Ordinal), Wait.Hang), agent.Errors);
        await HttpRequests.SendAsync(server.Port, 100);
        await agent.WaitForServerSpansAsync(100);
        agent.Signal(ChildProcess.SIGINT);
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));

        JsonElement[] lines = [.. agent.ErrorLines.Select(static line => JsonDocument.Parse(line).RootElement)];
        JsonElement[] places = [.. lines.Where(static line => line.GetProperty("msg").GetString() == "Counters")];
        Assert.All(places, static place => Assert.Equal("yes", place.GetProperty("balanced").GetString()));
        JsonElement printer = Assert.Single(places, static place => place.GetProperty("place").GetString() == "printer");
        Assert.Equal(100, printer.GetProperty("emitted").GetInt64());
    }

    [LiveFact("nginx")]
    public async Task A_closed_output_is_a_normal_end()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port) with { ReadsOutput = false });
        agent.CloseOutput();
        await HttpRequests.SendAsync(server.Port, 10);

        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        Assert.DoesNotContain("level=ERROR", agent.Errors, StringComparison.Ordinal);
    }

    [LiveFact("nginx")]
    public async Task A_reader_that_stands_still_does_not_delay_the_end()
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port) with { ReadsOutput = false });
        await HttpRequests.SendAsync(server.Port, 5000);
        await Task.Delay(200);

        agent.Signal(ChildProcess.SIGINT);
        // the reader never reads: without a limit of the agent's own this would hang
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        Assert.All(agent.Counters.Values, count => Assert.True(count.Balanced, AgentLog.Describe(count)));
    }

    private static async Task AssertNothingLeftAsync(BpfFootprint held)
    {
        BpfFootprint left = await held.LeftAsync();
        Assert.True(left.IsEmpty,
            $"Left in the kernel: {string.Join(' ', left.Programs)} / {string.Join(' ', left.Maps)} / {string.Join(' ', left.Links)}");
    }
}
