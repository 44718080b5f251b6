using Beyla.Agent.Kernel;
using Beyla.Agent.Tests.Linux;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>
/// The thread that reads both rings, on rings and a selection of plain memory. A pipe stands for the wake-up that a real ring gives: the
/// programs send
/// one only after they found <c>asleep</c> set, and clear it (wake() in bpf/include/connection.h).
/// </summary>
public sealed class EventLoopTests : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    private readonly SelectionMemory memory = new();
    private readonly RingMemory processes = new(), sockets = new();
    private readonly Pipe wake = new();
    private readonly SelectionMap selection;
    private readonly EventLoop loop;
    private readonly Seen seen = new();

    public EventLoopTests()
    {
        selection = new SelectionMap(memory.Descriptor);
        loop = new EventLoop(
            selection, new RingBuffer(processes.Descriptor, (ulong)processes.Size), new RingBuffer(sockets.Descriptor, (ulong)sockets.Size),
            TimeSpan.FromMilliseconds(1));
        loop.Watch(wake.Read);
    }

    public void Dispose()
    {
        loop.Dispose();
        selection.Dispose();
        wake.Dispose();
        processes.Dispose();
        sockets.Dispose();
        memory.Dispose();
    }

    /// <summary>A process is known before what it sends, in whichever order the rings are looked at.</summary>
    [Fact]
    public void Processes_come_before_what_they_send()
    {
        sockets.Add([1]);
        processes.Add([2]);
        Assert.Equal(2, loop.Drain(seen.Of("process"), seen.Of("socket")));
        Assert.Equal(["process 2", "socket 1"], seen.Records);
    }

    /// <summary>
    /// While processes are read, one more begins and sends. What it sent must wait: its beginning was perhaps not read yet.
    /// </summary>
    [Fact]
    public void What_was_sent_after_the_reading_began_waits_for_the_next_round()
    {
        processes.Add([1]);
        sockets.Add([2]);
        seen.On = record =>
        {
            if (record == "process 1")
            {
                processes.Add([3]);
                sockets.Add([4]);
            }
        };
        Assert.Equal(2, loop.Drain(seen.Of("process"), seen.Of("socket")));
        Assert.Equal(["process 1", "socket 2"], seen.Records);
        Assert.Equal(2, loop.Drain(seen.Of("process"), seen.Of("socket")));
        Assert.Equal(["process 1", "socket 2", "process 3", "socket 4"], seen.Records);
        Assert.Equal(0, loop.Drain(seen.Of("process"), seen.Of("socket")));
    }

    [Fact]
    public void It_reads_hands_on_and_ticks_until_it_is_stopped_from_another_thread()
    {
        processes.Add([1]);
        var thread = Start();
        Eventually(() => seen.Ticks >= 3);
        sockets.Add([2]);
        wake.Send();
        Eventually(() => seen.FlushedRecords == 2);
        loop.Stop();
        Assert.True(thread.Join(Hang));
        Assert.Equal(["process 1", "socket 2"], seen.Records);
    }

    /// <summary>Stopped before it runs, as by a signal during the start.</summary>
    [Fact]
    public void A_loop_that_is_stopped_already_returns_at_once()
    {
        loop.Stop();
        Assert.True(Start().Join(Hang));
        Assert.Equal(0, seen.Ticks);
    }

    [Fact]
    public void Without_traffic_it_sleeps_and_says_so_and_a_wake_up_ends_that()
    {
        var thread = Start();
        Eventually(() => memory[SelectionMemory.Asleep] == 1);
        for (var i = 0; i < 5; i++)
        {
            Eventually(() => memory[SelectionMemory.Asleep] == 1);
            sockets.Add([(byte)i]);
            memory[SelectionMemory.Asleep] = 0;
            wake.Send();
            Eventually(() => seen.FlushedRecords == i + 1);
        }

        loop.Stop();
        Assert.True(thread.Join(Hang));
        Assert.Equal(0u, memory[SelectionMemory.Asleep]);
    }

    /// <summary>
    /// A program that looked at <c>asleep</c> just before it was set writes and wakes nobody. The loop looks once more after it said that
    /// it sleeps, and
    /// not only when the time limit of a second is over; that limit bounds what is found later still.
    /// </summary>
    [Fact]
    public void What_was_written_without_a_wake_up_is_found()
    {
        var thread = Start();
        for (var i = 1; i <= 3; i++)
        {
            Eventually(() => memory[SelectionMemory.Asleep] == 1);
            processes.Add([(byte)i]);
            Eventually(() => seen.FlushedRecords == i);
        }

        loop.Stop();
        Assert.True(thread.Join(Hang));
        Assert.Equal(["process 1", "process 2", "process 3"], seen.Records);
    }

    /// <summary>
    /// A record of the processes says that it is longer than what was written: the loop ends and says where. What the other ring holds is
    /// read all the same, then and at the end of the agent, and nothing is read twice.
    /// </summary>
    [Fact]
    public void A_record_that_is_longer_than_what_was_written_ends_the_loop_with_what_to_say()
    {
        processes.Add([1]);
        processes.Header(processes.Add(new byte[8]), 9);
        sockets.Add([2]);
        Assert.Null(loop.Failure);
        Assert.True(Start().Join(Hang));
        Assert.StartsWith(
            "events of processes: ring buffer: the record at position 16 has 9 bytes, but only 16 were written",
            loop.Failure, StringComparison.Ordinal);
        Assert.Contains("restart the agent", loop.Failure, StringComparison.Ordinal);
        Assert.Equal(2, seen.FlushedRecords);

        sockets.Add([3]);
        sockets.Header(sockets.Add(new byte[8]), 4096);
        Assert.Equal(0, loop.Drain(seen.Of("process"), seen.Of("socket")));
        Assert.Equal(["process 1", "socket 2", "socket 3"], seen.Records);
        Assert.StartsWith("events of processes", loop.Failure, StringComparison.Ordinal);
    }

    /// <summary>The same in the sockets' ring, found only when the rings are emptied at the end of the agent.</summary>
    [Fact]
    public void A_damaged_ring_is_told_of_at_the_end_too()
    {
        sockets.Header(sockets.Add(new byte[8]), 4096);
        processes.Add([1]);
        Assert.Equal(1, loop.Drain(seen.Of("process"), seen.Of("socket")));
        Assert.StartsWith(
            "events of sockets: ring buffer: the record at position 0 has 4096 bytes", loop.Failure, StringComparison.Ordinal);
    }

    private Thread Start()
    {
        Thread thread = new(() => loop.Run(seen.Of("process"), seen.Of("socket"), seen)) { IsBackground = true };
        thread.Start();
        return thread;
    }

    private static void Eventually(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Hang));

    /// <summary>What came out of the loop; written by its thread.</summary>
    private sealed class Seen : IEventLoopClient
    {
        private volatile int ticks, flushed;

        public List<string> Records { get; } = [];

        public Action<string> On { get; set; } = static _ => { };

        /// <summary>Records that had come when something was handed on.</summary>
        public int FlushedRecords => flushed;

        public int Ticks => ticks;

        public IRingSink Of(string ring) => new Sink(this, ring);

        public void Flush() => flushed = Records.Count;

        public void Tick(ulong now)
        {
            Assert.NotEqual(0UL, now);
            ticks++;
        }

        private sealed class Sink(Seen seen, string ring) : IRingSink
        {
            public void OnRecord(ReadOnlySpan<byte> record)
            {
                var text = $"{ring} {string.Join(',', record.ToArray())}";
                seen.Records.Add(text);
                seen.On(text);
            }
        }
    }
}
