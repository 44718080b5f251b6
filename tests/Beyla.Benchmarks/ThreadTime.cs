using System.Runtime.InteropServices;

namespace Beyla.Benchmarks;

/// <summary>CPU time of the calling thread (CLOCK_THREAD_CPUTIME_ID, clock_gettime(2)).</summary>
internal static unsafe partial class ThreadTime
{
    private const int ClockThread = 3;

    public static TimeSpan Now
    {
        get
        {
            long* time = stackalloc long[2];
            _ = clock_gettime(ClockThread, time);
            return TimeSpan.FromSeconds(time[0]) + TimeSpan.FromMicroseconds(time[1] / 1000.0);
        }
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, long* time);
}
