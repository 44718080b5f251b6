using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Keeper;

/// <summary>What the two processes keep of what they are done with.</summary>
public sealed class MemoryTests
{
    /// <summary>
    /// 400 reports make more than 16 MiB of garbage in each process: as much as the runtime lets lie by itself, which is measured by the
    /// processor's cache. It collects after 2 MiB (System.GC.Gen0MaxBudget).
    /// </summary>
    [LiveFact]
    public async Task Garbage_does_not_pile_up()
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(FreePort.Next()));
        await ReportAsync(agent, 20);
        int keeper = AnonymousKilobytes(agent.Pid), worker = AnonymousKilobytes(agent.WorkerPid);
        await ReportAsync(agent, 400);
        Assert.InRange(AnonymousKilobytes(agent.Pid) - keeper, -4096, 4096);
        Assert.InRange(AnonymousKilobytes(agent.WorkerPid) - worker, -4096, 4096);
        await agent.StopAsync();
    }

    private static async Task ReportAsync(AgentProcess agent, int count)
    {
        for (int i = 0; i < count; i++)
        {
            int before = Reports(agent);
            agent.Signal(ChildProcess.SIGUSR1);
            Assert.True(await Wait.UntilAsync(() => Reports(agent) > before, Wait.Hang), agent.Errors);
        }
    }

    private static int Reports(AgentProcess agent) =>
        agent.ErrorLines.Count(line => line.StartsWith("worker: ", StringComparison.Ordinal));

    /// <summary>proc(5): RssAnon of status, in KiB.</summary>
    private static int AnonymousKilobytes(int pid) =>
        int.Parse(Halves.Status(pid, "RssAnon").Split(' ')[0], CultureInfo.InvariantCulture);
}
