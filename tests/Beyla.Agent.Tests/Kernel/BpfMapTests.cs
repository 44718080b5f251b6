using System.Runtime.InteropServices;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>What is made of the kernel's answers about maps; the answers are played.</summary>
public sealed class BpfMapTests
{
    /// <summary>bpf_percpu_array_copy() in kernel/bpf/arraymap.c: the values follow each other, each rounded up to 8 bytes.</summary>
    [Theory]
    [InlineData(1u, 1)]
    [InlineData(8u, 1)]
    [InlineData(9u, 2)]
    [InlineData(32u, 4)] // struct ring_counters, bpf/include/counters.h
    [InlineData(36u, 5)]
    public void Values_of_two_processors_are_rounded_up_words_apart(uint valueSize, int words) =>
        Assert.Equal(words, BpfMap.Stride(valueSize));

    [Fact]
    public void Counters_of_a_ring_are_the_sums_over_all_processors()
    {
        // produced, emitted, lost, untracked, as struct ring_counters has them; what was there before is not added.
        RingCounters sums = new() { Produced = 7, Lost = 7 };
        BpfMap.Sum([10, 8, 2, 0, 0, 0, 0, 0, 5_000_000_000, 4_999_999_999, 1, 3], 4, Words(ref sums));
        Assert.Equal((5_000_000_010UL, 5_000_000_007UL, 3UL, 3UL), (sums.Produced, sums.Emitted, sums.Lost, sums.Untracked));
    }

    [Fact]
    public void A_value_with_more_counters_than_are_asked_for_shifts_nothing()
    {
        ulong[] sums = [0, 0];
        BpfMap.Sum([1, 2, 100, 3, 4, 100], 3, sums);
        Assert.Equal([4UL, 6UL], sums);
    }

    /// <summary>libbpf_num_possible_cpus() answers with a negative errno where /sys is not mounted: ENOENT (2), EACCES (13).</summary>
    [Theory]
    [InlineData(-2, "ENOENT")]
    [InlineData(-13, "EACCES")]
    public void Processors_that_cannot_be_counted_are_an_error_that_says_so(int answer, string errno)
    {
        var failure = Assert.Throws<KernelException>(() => BpfMap.Processors(answer));
        Assert.Equal(-answer, failure.Errno);
        Assert.Contains("/sys/devices/system/cpu/possible", failure.Message, StringComparison.Ordinal);
        Assert.Contains(errno, failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, BpfMap.Processors(2));
    }

    /// <summary>
    /// __htab_map_lookup_and_delete_batch() in kernel/bpf/hashtab.c: behind the last bucket it returns -ENOENT, with the count of what it
    /// wrote in the
    /// same call. Whoever took that for a failure would lose those entries, which are out of the map already.
    /// </summary>
    [Theory]
    [InlineData(0, 5u, true)] // there may be more
    [InlineData(-2, 3u, false)]
    [InlineData(-2, 0u, false)] // an empty map
    [InlineData(-2, 8u, false)] // the last call was just full
    public unsafe void The_end_of_a_map_still_comes_with_entries(int result, uint count, bool more)
    {
        var keys = stackalloc uint[8];
        var values = stackalloc ulong[8];
        BpfMapBatch<uint, ulong> batch = new(keys, values, 8);
        Assert.Equal(more, batch.Take(result, count, remove: true));
        Assert.Equal((int)count, batch.Count);
    }

    /// <summary>ENOSPC (28): a bucket holds more entries than there is room for. Nothing was taken out then.</summary>
    [Theory]
    [InlineData(-28, true, "empty a map", "ENOSPC")]
    [InlineData(-28, false, "read a map", "ENOSPC")]
    [InlineData(-14, true, "empty a map", "EFAULT")]
    [InlineData(-1, false, "read a map", "EPERM")]
    public unsafe void Any_other_error_says_what_failed(int result, bool remove, string what, string errno)
    {
        var keys = stackalloc uint[8];
        var values = stackalloc ulong[8];
        BpfMapBatch<uint, ulong> batch = new(keys, values, 8);
        var failure = Assert.Throws<KernelException>(() => batch.Take(result, 0, remove));
        Assert.Contains(what, failure.Message, StringComparison.Ordinal);
        Assert.Contains(errno, failure.Message, StringComparison.Ordinal);
    }

    private static Span<ulong> Words(ref RingCounters counters) =>
        MemoryMarshal.Cast<RingCounters, ulong>(MemoryMarshal.CreateSpan(ref counters, 1));
}
