using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;
using Beyla.Agent.Tests.Keeper;
using Beyla.Live.Tests.Flows;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Statistics;

namespace Beyla.Live.Tests.Keeper;

/// <summary>A worker that somebody has taken over: what is not configured, what is asked too often or out of order.</summary>
public sealed class TakenOverModesTests
{
    private const int EIO = 5, ENODEV = 19, EINVAL = 22, EMFILE = 24;

    [LiveFact]
    public async Task Desks_run_out_and_come_back()
    {
        await using TakenOver worker = await TakenOver.StartAsync(AgentSettings.ForPorts(FreePort.Next()));
        for (int round = 0; round < 3; round++)
        {
            List<int> desks = [];
            KeeperReply reply = default;
            while (reply.Result == 0 && desks.Count < 100)
            {
                (reply, _, int[] files) = worker.Ask(new KeeperRequest { Operation = KeeperOperation.OpenDesk });
                desks.AddRange(files);
            }

            Assert.Equal(-EMFILE, reply.Result);
            Assert.InRange(desks.Count, 8, 16);
            desks.ForEach(desk => Assert.True(Descriptor.Close(desk)));
            // Their threads end by themselves.
            Assert.True(await Wait.UntilAsync(
                () => worker.Refusal(new KeeperRequest { Operation = KeeperOperation.OpenDesk }) == 0, Wait.Hang));
            await Task.Delay(200);
        }

        await worker.EndAsync();
    }

    [LiveFact]
    public async Task Without_a_mode_it_has_nothing_of_that_mode()
    {
        await using TakenOver flows = await TakenOver.StartAsync(AgentSettings.For("BEYLA_NETWORK_METRICS", "1"));
        foreach (KeeperOperation operation in (KeeperOperation[])
            [KeeperOperation.Application, KeeperOperation.Detach, KeeperOperation.ScanListeners, KeeperOperation.OpenStatistics,
                KeeperOperation.WalkStatistics, KeeperOperation.DetachStatistics])
        {
            Assert.Equal(ENODEV, flows.Refusal(new KeeperRequest { Operation = operation }));
        }

        KeeperRequest started = new() { Operation = KeeperOperation.StartedWith, Pid = flows.Agent.WorkerPid };
        Assert.Equal(ENODEV, flows.Refusal(started));
        Assert.Equal(ENODEV, flows.Refusal(new KeeperRequest { Operation = KeeperOperation.IncludeGroup }, "/"));
        // Not at this desk.
        Assert.Equal(ENODEV, flows.Refusal(new KeeperRequest { Operation = KeeperOperation.FlowStart }));
        await flows.EndAsync();

        await using TakenOver application = await TakenOver.StartAsync(AgentSettings.ForPorts(FreePort.Next()));
        Assert.Equal(ENODEV, application.Refusal(new KeeperRequest { Operation = KeeperOperation.OpenFlows }));
        // Contexts are not passed on: nothing is attached.
        int links = BpfFootprint.Of(application.Agent.Pid).Links.Count;
        Assert.Equal(0, application.Refusal(new KeeperRequest { Operation = KeeperOperation.IncludeGroup }, "/"));
        Assert.Equal(links, BpfFootprint.Of(application.Agent.Pid).Links.Count);
        await application.EndAsync();
    }

    /// <summary>No file of a process belongs to them; whoever asks for walks all the time gets few.</summary>
    [LiveFact]
    public async Task Statistics_in_any_order_do_not_end_the_keeper()
    {
        await using TakenOver worker = await TakenOver.StartAsync(StatisticLine.Agent);
        Assert.Equal(ENODEV, worker.Refusal(new KeeperRequest { Operation = KeeperOperation.ReadLink, Pid = worker.Agent.WorkerPid }));
        Assert.Equal(ENODEV, worker.Refusal(new KeeperRequest { Operation = KeeperOperation.Application }));
        for (int i = 0; i < 20_000; i++)
        {
            KeeperRequest walk = new() { Operation = KeeperOperation.WalkStatistics, Number = i % 2 };
            Assert.Equal(0, worker.Ask(walk).Reply.Result);
        }

        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(0, worker.Ask(new KeeperRequest { Operation = KeeperOperation.DetachStatistics }).Reply.Result);
            Assert.Equal(0, worker.Ask(new KeeperRequest { Operation = KeeperOperation.WalkStatistics }).Reply.Result);
            (KeeperReply opened, _, int[] files) = worker.Ask(new KeeperRequest { Operation = KeeperOperation.OpenStatistics });
            Assert.Equal((0, 1 << 20), (opened.Result, opened.Value));
            Assert.True(Descriptor.Close(Assert.Single(files)));
        }

        Assert.Empty(BpfFootprint.Of(worker.Agent.Pid).Links);
        await worker.EndAsync();
    }

    /// <summary>Started after it was detached, read before it was swapped, owners of more flows than there are.</summary>
    [LiveFact("ip", "ethtool")]
    public async Task Flows_in_any_order_do_not_end_the_keeper()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using TakenOver worker = await TakenOver.StartAsync(lab.Agent("tc"));
        (_, _, int[] files) = worker.Ask(new KeeperRequest { Operation = KeeperOperation.OpenFlows });
        using MessageSocket desk = new(files[0]);
        Assert.True(Descriptor.Close(files[1]) && Descriptor.Close(files[2]));
        await worker.DrainAsync(desk);
        Assert.Equal(0, Flow(KeeperOperation.FlowDetach));
        Assert.Equal(-EIO, Flow(KeeperOperation.FlowStart));
        Assert.Equal(-EINVAL, Flow(KeeperOperation.FlowOwners, 513));
        Questions questions = new(22, [worker.Agent.WorkerPid]);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] question = questions.Next().ToArray();
            if (question.Length == 0 || (question.Length >= 4 && BitConverter.ToUInt32(question) < (uint)KeeperOperation.FlowStart))
            {
                continue;
            }

            foreach (int file in worker.Ask(question, desk).Descriptors)
            {
                Assert.True(Descriptor.Close(file));
            }
        }

        Assert.Equal(0, Flow(KeeperOperation.FlowState));
        await worker.EndAsync();

        int Flow(KeeperOperation operation, int number = 0)
        {
            KeeperRequest request = new() { Operation = operation, Number = number };
            return worker.Ask(System.Runtime.InteropServices.MemoryMarshal.AsBytes([request]), desk).Reply.Result;
        }
    }
}
