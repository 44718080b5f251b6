using System.Runtime.InteropServices;
using Beyla.Agent.Counting;

namespace Beyla.Agent.Kernel;

/// <summary>What a ring's programs counted (bpf/include/counters.h, struct ring_counters), summed over all CPUs.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RingCounters
{
    /// <summary>Events that arose.</summary>
    public ulong Produced;

    /// <summary>Events in the ring.</summary>
    public ulong Emitted;

    /// <summary>Events for which the ring had no room.</summary>
    public ulong Lost;

    /// <summary>Operations that were not followed because a table of the kernel side was full.</summary>
    public ulong Untracked;

    /// <summary>The row of a place for calls of its programs that never were; none where there were no such calls.</summary>
    /// <param name="place">The place.</param>
    /// <param name="programs">The programs whose calls make its events.</param>
    /// <param name="places">Takes the row.</param>
    /// <returns>How many rows.</returns>
    internal static int Missed(string place, ReadOnlySpan<BpfProgram> programs, Span<PlaceCounters> places)
    {
        long missed = 0;
        foreach (var program in programs)
        {
            missed += program.Missed;
        }

        if (missed == 0)
        {
            return 0;
        }

        places[0] = new PlaceCounters(place, "calls", missed, Lost: missed);
        return 1;
    }

    /// <summary>Reads the counters that belong to a ring; a system call.</summary>
    /// <param name="counters">The map that COUNTED_RING declares beside the ring.</param>
    public static RingCounters Read(BpfMap counters)
    {
        RingCounters result = default;
        counters.SumPerCpu(0, MemoryMarshal.Cast<RingCounters, ulong>(MemoryMarshal.CreateSpan(ref result, 1)));
        return result;
    }
}
