using Beyla.Agent.Configuration;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>The half with the capabilities by itself, called as by messages: also in an order that the other half never uses.</summary>
public sealed class KeeperTests
{
    [LiveTheory("ip", "ethtool"), InlineData(FlowSource.SocketFilter), InlineData(FlowSource.TrafficControl)]
    public async Task It_follows_the_interfaces_only_between_start_and_detach(FlowSource source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await FlowLab.RunInside(lab.Host, () =>
        {
            using FlowKeeper keeper = new(new NetworkConfiguration { Source = source, ExcludeInterfaces = [] }, new FlowHost());
            // Nothing to wait for, also when a link came.
            Assert.Equal((-1, -1, 0), (keeper.FileDescriptor, keeper.Follow(), keeper.InterfaceCount));
            keeper.Start();
            Assert.Equal(2, keeper.InterfaceCount); // lo and veth0

            _ = keeper.Follow();
            Assert.False(IsReadable(keeper.FileDescriptor));
            Add(lab, "new0");
            Assert.True(IsReadable(keeper.FileDescriptor));
            Assert.Equal((-1, 3), (keeper.Follow(), keeper.InterfaceCount));

            keeper.Detach();
            Add(lab, "new1");
            Assert.Equal((-1, -1, 0), (keeper.FileDescriptor, keeper.Follow(), keeper.InterfaceCount));
            Assert.Throws<ObjectDisposedException>(keeper.Start);
        });
    }

    [LiveFact("ip", "ethtool")]
    public async Task Who_polls_is_called_by_the_clock_alone()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await FlowLab.RunInside(lab.Host, () =>
        {
            using FlowKeeper keeper = new(
                new NetworkConfiguration { ListenInterfaces = InterfaceListener.Poll, ListenPollPeriod = TimeSpan.FromSeconds(1) },
                new FlowHost());
            keeper.Start();
            int before = keeper.InterfaceCount;
            Add(lab, "new0");
            Assert.Equal(-1, keeper.FileDescriptor);
            int wait = keeper.Follow();
            Assert.InRange(wait, 1, 1000);
            Thread.Sleep(wait + 20);
            Assert.InRange(keeper.Follow(), 900, 1000);
            Assert.Equal(before + 1, keeper.InterfaceCount);
        });
    }

    [LiveFact("ip", "ethtool")]
    public async Task Reading_never_touches_the_map_that_counts_whatever_the_order_of_the_calls()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await FlowLab.RunInside(lab.Host, () =>
        {
            using FlowKeeper keeper = new(new NetworkConfiguration(), new FlowHost());
            keeper.Start();
            RawFrames.SendMany(
                "veth0", 1500, i => Packets.IPv4(FlowLab.HostAddress, FlowLab.PeerAddress, 17, Packets.Udp(9, i + 1, 10)));

            Assert.False(keeper.ReadBatch(remove: true, first: true, out int none));
            Assert.Equal(0, none);
            _ = keeper.ReadBatch(remove: true, first: false, out none);
            Assert.Equal(0, none);

            keeper.Swap();
            Assert.Equal(Enumerable.Range(1, 1500), Read(keeper, remove: false));
            Assert.Equal(Enumerable.Range(1, 1500), Read(keeper, remove: true));
            Assert.Empty(Read(keeper, remove: true));
        });
    }

    [LiveTheory("ip", "ethtool"), InlineData(-1), InlineData(FlowExchange.Capacity + 1), InlineData(int.MaxValue), InlineData(int.MinValue)]
    public async Task A_batch_that_cannot_be_is_refused(int count)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await FlowLab.RunInside(lab.Host, () =>
        {
            using FlowKeeper keeper = new(new NetworkConfiguration(), new FlowHost());
            Assert.Throws<ArgumentOutOfRangeException>(() => keeper.FindOwners(count));
            // Any bytes are a question that has an answer.
            new Random(12).NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(keeper.Exchange.Keys));
            keeper.Exchange.Ours.Fill(0xff);
            keeper.FindOwners(FlowExchange.Capacity);
            Assert.All(keeper.Exchange.Found.ToArray(), found => Assert.Equal(0, found));
        });
    }

    /// <summary>The destination ports of the flows from port 9, in order.</summary>
    private static List<int> Read(FlowKeeper keeper, bool remove)
    {
        List<int> ports = [];
        bool first = true, more = true;
        while (more)
        {
            more = keeper.ReadBatch(remove, first, out int count);
            first = false;
            Assert.InRange(count, 0, FlowExchange.Capacity);
            foreach (FlowKey key in keeper.Exchange.Keys[..count])
            {
                if (key is { SourcePort: 9, Protocol: 17 })
                {
                    ports.Add(key.DestinationPort);
                }
            }
        }

        ports.Sort();
        return ports;
    }

    private static void Add(FlowLab lab, string name) => FlowLab.Ip(
        "-n", lab.Host, "link", "add", "dev", name, "type", "veth", "peer", "name", name, "netns", lab.Peer).GetAwaiter().GetResult();

    private static bool IsReadable(int descriptor)
    {
        PollDescriptor poll = new() { Descriptor = descriptor, Events = Poll.In };
        return Poll.Wait(ref poll, 0) > 0;
    }
}
