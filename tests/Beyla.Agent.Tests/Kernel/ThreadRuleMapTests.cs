using Beyla.Agent.Kernel;
using Beyla.Agent.Tests.Linux;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>A bit for each process, in memory that stands for the kernel's.</summary>
public sealed class ThreadRuleMapTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65535)]
    [InlineData(4194303)] // the highest there is
    public unsafe void A_process_is_forbidden_until_it_is_allowed(int pid)
    {
        using var memory = new MemoryFile(ThreadRuleMap.Places / 8);
        using var map = new ThreadRuleMap(memory.Descriptor);
        Assert.False(map.IsForbidden(pid));
        map.Forbid(pid);
        Assert.True(map.IsForbidden(pid));
        Assert.False(map.IsForbidden(pid - 1));
        // As the kernel side looks: the word pid % 65536 / 64, the bit pid % 64.
        Assert.Equal(1UL << (pid % 64), ((ulong*)memory.Bytes)[pid % 65536 / 64]);
        map.Allow(pid);
        Assert.False(map.IsForbidden(pid));
    }
}
