using Beyla.Agent.Kernel;
using Beyla.Agent.Tests.Linux;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>What is read of passed bytes, in memory that stands for the kernel's; sequence numbers are modulo 2^32 (RFC 9293).</summary>
public sealed class PassedMapTests
{
    private const ulong Connection = 0x1234_5678_9a07;

    [Theory]
    [InlineData(1000u, 1000u, 1800u, true)] // right behind what is known
    [InlineData(1400u, 1000u, 1800u, true)] // a part was found before
    [InlineData(1800u, 1000u, 1800u, false)] // all of it was
    [InlineData(900u, 1000u, 1800u, false)] // an event that is still to be read comes before it
    [InlineData(0xffff_ff00u, 0xffff_ff00u, 0x100u, true)] // around the end of the numbers
    [InlineData(0xffff_fe00u, 0xffff_ff00u, 0x100u, false)]
    public unsafe void It_is_read_when_it_follows(uint known, uint from, uint until, bool expected)
    {
        using var memory = new MemoryFile(PassedMap.Places * sizeof(PassedMap.Passed));
        using var map = new PassedMap(memory.Descriptor);
        Assert.False(map.TryRead(Connection, known, out _, out _));
        ((PassedMap.Passed*)memory.Bytes)[(Connection >> 8) & 0xffff] =
            new PassedMap.Passed { Connection = Connection, Time = 77, From = from, Until = until };
        Assert.Equal(expected, map.TryRead(Connection, known, out var end, out var time));
        Assert.True(!expected || (end, time) == (until, 77));
        Assert.False(map.TryRead(Connection + 1, known, out _, out _), "another connection at the same place");
    }
}
