using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Keeper;

/// <summary>Descriptors are passed under RLIMIT_NOFILE (getrlimit(2)): a receiver without room gets none of them.</summary>
public sealed class DescriptorLimitTests
{
    /// <summary>Either it traces, or it says what it could not do; it never falls, and never stands still.</summary>
    [LiveTheory("nginx", "prlimit")]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(20)]
    [InlineData(28)]
    [InlineData(36)]
    [InlineData(44)]
    [InlineData(64)]
    [InlineData(96)]
    [InlineData(256)]
    public async Task With_few_it_works_or_says_what_is_missing(int limit)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = AgentProcess.Launch(Limited(AgentSettings.ForPorts(server.Port), limit));
        Assert.True(await Wait.UntilAsync(
            () => agent.HasExited || agent.Errors.Contains(AgentLog.Ready, StringComparison.Ordinal), Wait.Hang), agent.Errors);
        if (agent.HasExited)
        {
            Assert.Equal(1, await agent.WaitForExitAsync(Wait.Hang));
            Assert.Contains("EMFILE", agent.Errors, StringComparison.Ordinal);
            Assert.InRange(limit, 0, 96);
            return;
        }

        await HttpRequests.SendAsync(server.Port, 50);
        await agent.WaitForServerSpansAsync(50);
        await agent.StopAsync();
    }

    /// <summary>All processes of the machine are looked into, a hundred of them at once: each look opens and closes.</summary>
    [LiveFact("nginx", "prlimit", "sleep")]
    public async Task Many_processes_need_no_more()
    {
        using OwnProgram sleep = new("sleep");
        await using TestServer server = await Nginx.StartAsync();
        AgentSettings settings = AgentSettings.For("BEYLA_AUTO_TARGET_EXE", "*").With("BEYLA_LOG_LEVEL", "INFO");
        await using AgentProcess agent = await AgentProcess.StartAsync(Limited(settings, 256));
        List<ChildProcess> many = [];
        try
        {
            for (int i = 0; i < 150; i++)
            {
                many.Add(ChildProcess.Start(sleep.Path, ["60"]));
            }

            int Count(int pid) => Directory.GetFiles($"/proc/{pid}/fd").Length;
            await HttpRequests.SendAsync(server.Port, 50);
            await agent.WaitForSpansAsync(50, span => span.Kind == SpanKind.Server && span.ServerPort == server.Port);
            int keeper = Count(agent.Pid), worker = Count(agent.WorkerPid);
            for (int i = 0; i < 150; i++)
            {
                many.Add(ChildProcess.Start(sleep.Path, ["60"]));
            }

            await HttpRequests.SendAsync(server.Port, 50);
            await agent.WaitForSpansAsync(100, span => span.Kind == SpanKind.Server && span.ServerPort == server.Port);
            Assert.True(await Wait.UntilAsync(() => Count(agent.Pid) <= keeper && Count(agent.WorkerPid) <= worker, Wait.Hang));
        }
        finally
        {
            foreach (ChildProcess process in many)
            {
                await process.DisposeAsync();
            }
        }

        await agent.StopAsync();
    }

    private static AgentSettings Limited(AgentSettings settings, int limit) => settings with
    {
        Prefix = [Tool.Find("prlimit"), string.Create(CultureInfo.InvariantCulture, $"--nofile={limit}"), "--"],
    };
}
