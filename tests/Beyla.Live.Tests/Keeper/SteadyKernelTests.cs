using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Flows;
using Beyla.Agent.Keeper;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Tests;
using Beyla.Live.Tests.Rig;
using Beyla.Tests.Common;
using SocketSource = Beyla.Agent.Kernel.SocketSource;

namespace Beyla.Live.Tests.Keeper;

/// <summary>
/// What stands behind the desks of the keeper, on the real kernel: what is asked for again and again takes no managed memory. The desks
/// themselves are in Beyla.Agent.Tests (SteadyStateTests).
/// </summary>
public sealed class SteadyKernelTests
{
    private readonly PlaceCounters[] places = new PlaceCounters[IKeeperHost.MaximumPlaces];

    [LiveFact]
    public async Task The_programs_of_applications_are_asked_without_memory()
    {
        using StartedNames names = StartedNames.Open();
        using Watcher watcher = Watcher.Open(new WatcherNeeds { EveryExec = true });
        using SocketSource sockets = SocketSource.Open(
            SocketSourceKind.Auto, watcher.Selection, 8 << 20, detectsSql: false, ContextPropagation.Tcp, static (_, _) => { });
        using PropagationPrograms passing = PropagationPrograms.Open(
            ContextPropagation.Tcp, sockets, watcher.Selection, TestCgroup.Mount!);
        await using TestCgroup group = TestCgroup.Create();
        Assert.True(passing.Attach(group.Name));
        string below = group.Name + "/below", beside = group.Name + "-beside";
        await using ChildProcess named = ChildProcess.Start("/usr/bin/env", ["OTEL_SERVICE_NAME=steady", "sleep", "60"]);
        byte[] text = new byte[StartedNames.MaximumText];
        Assert.True(await Wait.UntilAsync(() => names.Read(named.Pid, text) > 0, Wait.Hang));

        Nothing(2000, () => Assert.True(names.Read(named.Pid, text) > 0));
        Nothing(2000, () => Assert.True(names.Read(1, text) < 0 && names.Read(SelectionMap.PidLimit - 1, text) < 0));
        Nothing(2000, () => Descriptor.Close(watcher.Listeners.Open(named.Pid)));
        Nothing(2000, () => Descriptor.Close(watcher.Listeners.Open(SelectionMap.PidLimit - 1)));
        Nothing(2000, () => Assert.True(watcher.Count(places) is 1 or 2));
        Nothing(2000, () => Assert.True(sockets.Count(places) is >= 1 and <= 3));
        Nothing(2000, () => Assert.True(names.Count(places) is 0 or 1));
        Nothing(2000, () => Assert.True(passing.Covers(below) && !passing.Covers(beside)));
    }

    [LiveFact]
    public Task The_programs_of_flows_are_asked_without_memory() => Task.Run(() =>
    {
        using FlowKeeper flows = new(new NetworkConfiguration { Enabled = true }, new FlowHost());
        Assert.True(flows.KnowsProcesses);
        Nothing(20, flows.Swap);
        Nothing(2000, () => flows.ReadBatch(remove: true, first: true, out _));
        Nothing(200, () => flows.FindOwners(FlowExchange.Capacity));
        Nothing(2000, flows.WalkSockets);
        Nothing(2000, () => flows.Count());
        Nothing(2000, () => Assert.NotNull(flows.Source));
    });

    private static void Nothing(int count, Action action) => Assert.Equal(0, Allocation.Least(_ =>
    {
        for (int i = 0; i < count; i++)
        {
            action();
        }
    }));
}
