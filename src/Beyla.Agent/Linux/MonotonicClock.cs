using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>
/// CLOCK_MONOTONIC of the kernel in nanoseconds: what bpf_ktime_get_ns() stamps events with. .NET's Stopwatch reads the same clock on
/// Linux, but as the process's time namespace shows it, which may be any number of seconds away: only differences of it compare with
/// those of events.
/// </summary>
public static partial class MonotonicClock
{
    /// <summary>What the time namespace adds. Read once: a process cannot change its own.</summary>
    private static readonly long Added = ReadAdded();

    /// <summary>Now, in nanoseconds since an arbitrary point.</summary>
    public static ulong Now => (ulong)((Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency)) - Added);

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

    /// <summary>
    /// What a time namespace adds to CLOCK_MONOTONIC, of the text of /proc/PID/timens_offsets (time_namespaces(7)): a line for each clock,
    /// with its name, seconds and nanoseconds.
    /// </summary>
    /// <returns>Nanoseconds; 0 where the text does not say it.</returns>
    internal static long AddedBy(string offsets)
    {
        foreach (var line in offsets.Split('\n'))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["monotonic", var whole, var rest]
                && long.TryParse(whole, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
                && long.TryParse(rest, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var nanoseconds))
            {
                return (seconds * 1_000_000_000) + nanoseconds;
            }
        }

        return 0;
    }

    private static long ReadAdded()
    {
        try
        {
            return AddedBy(File.ReadAllText("/proc/self/timens_offsets"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0; // a kernel without time namespaces
        }
    }

    [LibraryImport("libc")]
    private static unsafe partial int clock_gettime(int clock, long* time);
}
