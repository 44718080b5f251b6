using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>The reader of rings, on memory that is laid out as the kernel does it (kernel/bpf/ringbuf.c).</summary>
public sealed class RingBufferTests
{
    [Fact]
    public void Records_come_in_order_and_their_space_is_given_back()
    {
        using RingMemory memory = new();
        using RingBuffer ring = new(memory.Descriptor, (ulong)memory.Size);
        memory.Add([1, 2, 3]);
        memory.Add([4, 5, 6, 7, 8, 9, 10, 11]);
        Assert.Equal(32, ring.Backlog); // 8 + 3 rounded up to 16, 8 + 8
        Records records = new();
        Assert.Equal(2, ring.Drain(records, ring.End));
        Assert.Equal(["1,2,3", "4,5,6,7,8,9,10,11"], records.Texts);
        Assert.Equal((32UL, 0L), (memory.Consumer, ring.Backlog));
        Assert.Equal(0, ring.Drain(records, ring.End));
    }

    /// <summary>bpf_ringbuf_output() of no bytes is allowed: a header and nothing else.</summary>
    [Fact]
    public void A_record_of_no_bytes_is_a_record()
    {
        using RingMemory memory = new();
        using RingBuffer ring = new(memory.Descriptor, (ulong)memory.Size);
        memory.Add([]);
        memory.Add([7]);
        Records records = new();
        Assert.Equal(2, ring.Drain(records, ring.End));
        Assert.Equal(["", "7"], records.Texts);
        Assert.Equal(24UL, memory.Consumer);
    }

    [Fact]
    public void A_record_that_wraps_is_put_together_wherever_the_end_of_the_ring_cuts_it()
    {
        using RingMemory memory = new();
        var bytes = Enumerable.Range(1, 200).Select(static i => (byte)i).ToArray();
        // From a header that ends where the ring ends to a record that just fits before the end.
        for (var before = 8; before <= 208; before += 8)
        {
            memory.At((ulong)((3 * memory.Size) - before));
            using RingBuffer ring = new(memory.Descriptor, (ulong)memory.Size);
            memory.Add(bytes);
            memory.Add([42]);
            Records records = new();
            Assert.Equal(2, ring.Drain(records, ring.End));
            Assert.Equal([string.Join(',', bytes), "42"], records.Texts);
            Assert.Equal(memory.Producer, memory.Consumer);
        }
    }

    /// <summary>Larger than the buffer that wrapped records usually fit into.</summary>
    [Fact]
    public void A_record_of_almost_the_whole_ring_that_wraps_is_whole()
    {
        using var memory = new RingMemory(64 * 1024).At(40_000);
        using RingBuffer ring = new(memory.Descriptor, (ulong)memory.Size);
        var bytes = new byte[memory.Size - 8];
        new Random(1).NextBytes(bytes);
        memory.Add(bytes);
        Records records = new();
        Assert.Equal(1, ring.Drain(records, ring.End));
        Assert.Equal(string.Join(',', bytes), records.Texts[0]);
    }

    [Fact]
    public void A_busy_record_holds_up_what_is_behind_it_until_it_is_submitted()
    {
        using RingMemory memory = new();
        using RingBuffer ring = new(memory.Descriptor, (ulong)memory.Size);
        memory.Add([1]);
        var busy = memory.Add([2], RingMemory.Busy);
        memory.Add([3]);
        Records records = new();
        Assert.Equal(1, ring.Drain(records, ring.End));
        Assert.Equal((busy, 32L), (memory.Consumer, ring.Backlog));
        Assert.Equal(0, ring.Drain(records, ring.End));
        memory.Header(busy, 1);
        Assert.Equal(2, ring.Drain(records, ring.End));
        Assert.Equal(["1", "2", "3"], records.Texts);
    }

    [Fact]
    public void A_discarded_record_is_passed_over_and_its_space_given_back()
    {
        using RingMemory memory = new();
        using RingBuffer ring = new(memory.Descriptor, (ulong)memory.Size);
        memory.Add(new byte[100], RingMemory.Discard);
        memory.Add([5]);
        Records records = new();
        Assert.Equal(1, ring.Drain(records, ring.End));
        Assert.Equal(["5"], records.Texts);
        Assert.Equal(112UL + 16, memory.Consumer); // 8 + 100 rounded up
    }

    [Fact]
    public void What_was_written_after_the_end_was_taken_waits()
    {
        using RingMemory memory = new();
        using RingBuffer ring = new(memory.Descriptor, (ulong)memory.Size);
        memory.Add([1]);
        var end = ring.End;
        memory.Add([2]);
        Records records = new();
        Assert.Equal(1, ring.Drain(records, end));
        Assert.Equal(["1"], records.Texts);
        Assert.Equal((end, 16L), (memory.Consumer, ring.Backlog));
    }

    [Fact]
    public void A_reader_goes_on_where_the_one_before_it_stopped()
    {
        using var memory = new RingMemory().At(4096 * 7 + 64);
        memory.Add([1]);
        using (RingBuffer first = new(memory.Descriptor, (ulong)memory.Size))
        {
            Assert.Equal(1, first.Drain(new Records(), first.End));
        }

        memory.Add([2]);
        using RingBuffer second = new(memory.Descriptor, (ulong)memory.Size);
        Records records = new();
        Assert.Equal(1, second.Drain(records, second.End));
        Assert.Equal(["2"], records.Texts);
    }

    /// <summary>
    /// A slow sink must not stop the programs: with a large backlog, space is given back on the way and not only at the end.
    /// </summary>
    [Fact]
    public void Space_is_given_back_on_the_way_through_a_large_backlog()
    {
        using RingMemory memory = new(1024 * 1024);
        using RingBuffer ring = new(memory.Descriptor, (ulong)memory.Size);
        for (var i = 0; i < 15; i++)
        {
            memory.Add(new byte[(64 * 1024) - 8]);
        }

        Watching watching = new(memory);
        Assert.Equal(15, ring.Drain(watching, ring.End));
        Assert.Contains(watching.Seen, static consumer => consumer > 0);
        Assert.Equal(15UL * 64 * 1024, memory.Consumer);
    }

    /// <summary>Lengths that no kernel writes: what lies past the mapping is neither read nor taken for a record.</summary>
    [Theory]
    [InlineData(9u)] // one byte more than was written
    [InlineData(4096u)] // the whole ring
    [InlineData(4097u)]
    [InlineData(RingMemory.Discard - 1)] // the largest length that a header can have
    [InlineData((RingMemory.Discard - 1) | RingMemory.Discard)]
    public void A_record_that_is_longer_than_what_was_written_ends_the_reading(uint header)
    {
        using RingMemory memory = new();
        using RingBuffer ring = new(memory.Descriptor, (ulong)memory.Size);
        memory.Add([1]);
        memory.Header(memory.Add(new byte[8]), header);
        Records records = new();
        var failure = Assert.Throws<InvalidDataException>(() => ring.Drain(records, ring.End));
        Assert.Contains("position 16", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["1"], records.Texts);
    }

    private sealed class Records : IRingSink
    {
        public List<string> Texts { get; } = [];

        public void OnRecord(ReadOnlySpan<byte> record) => Texts.Add(string.Join(',', record.ToArray()));
    }

    private sealed class Watching(RingMemory memory) : IRingSink
    {
        public List<ulong> Seen { get; } = [];

        public void OnRecord(ReadOnlySpan<byte> record) => Seen.Add(memory.Consumer);
    }
}
