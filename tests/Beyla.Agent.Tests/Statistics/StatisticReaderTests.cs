using System.Net;
using System.Runtime.InteropServices;
using Beyla.Agent.Counting;
using Beyla.Agent.Linux;
using Beyla.Agent.Statistics;
using Beyla.Agent.Tests.Kernel;

namespace Beyla.Agent.Tests.Statistics;

/// <summary>What is in the ring reaches the sink, each record once, and what is not a record is counted.</summary>
public sealed class StatisticReaderTests : IDisposable
{
    private readonly PlayedStatistics kernel = new();
    private readonly Taken taken = new();
    private readonly StatisticReader reader;

    public StatisticReaderTests() => reader = new StatisticReader(kernel, taken);

    [Fact]
    public void Records_arrive_in_their_order_and_a_batch_ends_once()
    {
        kernel.Add(1);
        kernel.Add(2);
        reader.Drain();
        Assert.Equal([1, 2], taken.Ports);
        Assert.Equal(1, taken.Flushes);
        kernel.Add(3);
        reader.Drain();
        reader.Drain();
        Assert.Equal([1, 2, 3], taken.Ports);
        Assert.Equal(2, taken.Flushes);
        Assert.Equal([new PlaceCounters("statistics", "records", 3, Emitted: 3)], reader.Count());
    }

    /// <summary>The struct has 64 bytes (bpf/statistics.h: 2 × 16, 2 × 8, 2 × 4, 3 × 2, 2).</summary>
    [Fact]
    public void What_is_too_short_is_lost_and_the_next_one_is_read()
    {
        for (var length = 0; length < 64; length++)
        {
            kernel.Ring.Add(new byte[length]);
        }

        kernel.Add(7);
        reader.Drain();
        Assert.Equal([7], taken.Ports);
        Assert.Equal([new PlaceCounters("statistics", "records", 65, Emitted: 1, Lost: 64)], reader.Count());
    }

    [Fact]
    public void A_record_that_is_given_up_reaches_nobody()
    {
        kernel.Ring.Add(new byte[64], RingMemory.Discard);
        kernel.Add(9);
        reader.Drain();
        Assert.Equal([9], taken.Ports);
    }

    /// <summary>A ring that is not laid out as one ends the reading, and neither the agent nor its stop.</summary>
    [Fact]
    public void Of_a_damaged_ring_nothing_more_is_read()
    {
        kernel.Add(1);
        var damaged = kernel.Ring.Add(new byte[64]);
        kernel.Ring.Header(damaged, 100_000);
        reader.Drain();
        kernel.Add(2);
        reader.Drain();
        Assert.Equal([1], taken.Ports);
        reader.Start();
        reader.Stop();
        Assert.Equal(["walk for the last time", "detach"], kernel.Calls);
    }

    /// <summary>What the last walk puts into the ring, and what comes until the programs are off, is read.</summary>
    [Fact]
    public void The_end_tells_what_goes_on()
    {
        kernel.Add(1);
        (kernel.OnWalk, kernel.OnDetach) = (() => kernel.Add(2), () => kernel.Add(3));
        reader.Start();
        reader.Stop();
        reader.Stop();
        Assert.Equal([1, 2, 3], taken.Ports);
        Assert.Equal(["walk for the last time", "detach"], kernel.Calls);
    }

    /// <summary>The keeper is gone, or the kernel refuses: what is in the ring is read all the same.</summary>
    [Fact]
    public void A_kernel_side_that_refuses_does_not_keep_the_end()
    {
        kernel.Add(1);
        kernel.OnWalk = kernel.OnDetach = static () => throw new KernelException("walk", Errno.EPIPE);
        reader.Start();
        reader.Stop();
        Assert.Equal([1], taken.Ports);
        Assert.Equal(["walk for the last time", "detach"], kernel.Calls);
    }

    [Fact]
    public void The_kernel_side_goes_with_the_reader_also_where_it_never_began()
    {
        reader.Dispose();
        Assert.Equal(["dispose"], kernel.Calls);
    }

    public void Dispose()
    {
        reader.Dispose();
        kernel.Ring.Dispose();
    }

    /// <summary>Plays the kernel's part; the ring is plain memory, and wakes nobody.</summary>
    private sealed class PlayedStatistics : ITcpStatisticKernel
    {
        public RingMemory Ring { get; } = new(16384);

        public List<string> Calls { get; } = [];

        public Action? OnWalk { get; set; }

        public Action? OnDetach { get; set; }

        public int RingDescriptor => Ring.Descriptor;

        public uint RingSize => (uint)Ring.Size;

        public void Add(ushort port)
        {
            var statistic = new TcpStatistic
            {
                Local = Address.From(IPAddress.Parse("192.0.2.1")), LocalPort = port, Kind = TcpStatisticKind.Closed,
            };
            Ring.Add(MemoryMarshal.AsBytes(new ReadOnlySpan<TcpStatistic>(in statistic)));
        }

        public long Walk(bool isLast)
        {
            Calls.Add(isLast ? "walk for the last time" : "walk");
            OnWalk?.Invoke();
            return 0;
        }

        public void Detach()
        {
            Calls.Add("detach");
            OnDetach?.Invoke();
        }

        public void Dispose()
        {
            if (!Calls.Contains("dispose"))
            {
                Calls.Add("dispose");
            }
        }
    }

    private sealed class Taken : ITcpStatisticSink
    {
        public List<int> Ports { get; } = [];

        public int Flushes { get; private set; }

        public void OnStatistic(in TcpStatistic statistic)
        {
            Assert.Equal("192.0.2.1", statistic.Local.ToString());
            Ports.Add(statistic.LocalPort);
        }

        public void Flush() => Flushes++;
    }
}
