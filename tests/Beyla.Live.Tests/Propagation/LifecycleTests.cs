using Beyla.Live.Tests.Rig;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Propagation;

/// <summary>Where the programs are attached, that nothing of them stays, and what is said where they cannot be.</summary>
public sealed class LifecycleTests
{
    [LiveTheory("python3", "bpftool")]
    [InlineData(ChildProcess.SIGINT)]
    [InlineData(ChildProcess.SIGKILL)]
    public async Task Only_groups_of_traced_processes_have_the_program_and_none_after_the_end(int signal)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using TestCgroup other = TestCgroup.Create();
        await using Sender sender = await Sender.StartAsync(group);
        await using Sender bystander = await Sender.StartAsync(other);
        await using AgentProcess agent = await StartAsync(sender, "all");
        Assert.Contains("on_socket", await ShowAsync(group), StringComparison.Ordinal);
        Assert.DoesNotContain("on_socket", await ShowAsync(other), StringComparison.Ordinal);
        BpfFootprint held = BpfFootprint.Of(agent.Pid);
        agent.Signal(signal);
        await agent.WaitForExitAsync(Wait.Hang);
        Assert.True((await held.LeftAsync()).IsEmpty);
        Assert.DoesNotContain("on_socket", await ShowAsync(group), StringComparison.Ordinal);
    }

    /// <summary>What an agent that was killed has left behind on a connection does no harm to it.</summary>
    [LiveFact("python3")]
    public async Task A_connection_outlives_the_agent()
    {
        await using TestCgroup group = TestCgroup.Create();
        await using Sender sender = await Sender.StartAsync(group);
        await using AgentProcess agent = await StartAsync(sender, "all");
        byte[] get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray();
        using Sink sink = new("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray());
        Task<Sender.Result> sending = sender.RunAsync(
            new Sender.SendTask { Port = sink.Port, Parts = [get, get, get, get], Lockstep = true, Pause = 0.3 });
        await Task.Delay(400);
        agent.Signal(ChildProcess.SIGKILL);
        await agent.WaitForExitAsync(Wait.Hang);
        Sender.Result result = await sending;
        Assert.Equal((4 * 40, ""), (result.Received, result.Error));
        Assert.Equal(4 * get.Length + 70, (await sink.Received).Length);
    }

    [LiveFact("python3")]
    public async Task With_system_calls_as_the_source_it_says_that_nothing_is_passed_on()
    {
        await using TestCgroup group = TestCgroup.Create();
        await using Sender sender = await Sender.StartAsync(group);
        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.ForPorts(sender.Port).With("BEYLA_BPF_CONTEXT_PROPAGATION", "all").WithSource("syscalls"));
        Assert.Contains(
            "msg=\"Trace context is not passed on\" error=\"with the socket source syscalls", agent.Errors, StringComparison.Ordinal);
        await agent.StopAsync();
    }

    [LiveFact("python3")]
    public async Task Both_older_variables_ask_for_all()
    {
        foreach ((string name, string value) in new[]
        {
            ("BEYLA_BPF_ENABLE_CONTEXT_PROPAGATION", "1"), ("BEYLA_ENABLE_CONTEXT_PROPAGATION", "all"),
        })
        {
            await using TestCgroup group = TestCgroup.Create();
            await using Sender sender = await Sender.StartAsync(group);
            await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(sender.Port).With(name, value));
            Assert.True(await Wait.UntilAsync(() => agent.Errors.Contains($"cgroup={group.Name}", StringComparison.Ordinal), Wait.Hang));
            await agent.StopAsync();
        }
    }

    private static Task<AgentProcess> StartAsync(Sender sender, string way) =>
        PassingAgent.StartAsync(AgentSettings.ForPorts(sender.Port), way);

    private static Task<string> ShowAsync(TestCgroup group) => Tool.RunAsync("bpftool", "cgroup", "show", group.Path);
}
