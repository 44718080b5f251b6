using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>
/// CLOCK_MONOTONIC in nanoseconds: what bpf_ktime_get_ns() stamps events with. .NET's Stopwatch reads the same clock on Linux.
/// </summary>
public static partial class MonotonicClock
{
    /// <summary>Now, in nanoseconds since an arbitrary point.</summary>
    public static ulong Now => (ulong)Stopwatch.GetTimestamp() * (ulong)(1_000_000_000 / Stopwatch.Frequency);

    /// <summary>
    /// Clock ticks since boot, sleep included (CLOCK_BOOTTIME): what /proc/PID/stat gives the start of a process in. USER_HZ is 100.
    /// </summary>
    public static unsafe long BootTicks
    {
        get
        {
            var time = stackalloc long[2];
            return clock_gettime(7 /* CLOCK_BOOTTIME */, time) == 0 ? (time[0] * 100) + (time[1] / 10_000_000) : long.MaxValue;
        }
    }

    [LibraryImport("libc")]
    private static unsafe partial int clock_gettime(int clock, long* time);
}
