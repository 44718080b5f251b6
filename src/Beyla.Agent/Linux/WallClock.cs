using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>
/// Turns the kernel's monotonic time into wall clock time. The offset between the two is read again once a second of the events' own time,
/// so that a step of the wall clock is followed; durations never use it. One thread.
/// </summary>
public sealed partial class WallClock
{
    private const long RefreshAfter = 1_000_000_000;

    private readonly Func<long> monotonic;
    private readonly Func<long> realtime;
    private long offset;
    private long readAt;

    /// <summary>The clocks of the machine.</summary>
    public WallClock()
        : this(static () => (long)MonotonicClock.Now, static () => Read(ClockRealtime))
    {
    }

    /// <param name="monotonic">CLOCK_MONOTONIC of the kernel in nanoseconds.</param>
    /// <param name="realtime">CLOCK_REALTIME in nanoseconds since 1970.</param>
    internal WallClock(Func<long> monotonic, Func<long> realtime)
    {
        this.monotonic = monotonic;
        this.realtime = realtime;
        Refresh();
    }

    /// <summary>Microseconds since 1970 (UTC) of a moment on CLOCK_MONOTONIC; never negative.</summary>
    /// <param name="nanoseconds">The moment as the kernel gave it.</param>
    /// <param name="now">The newest moment known: when it is a second past the last reading of the offset, the offset is read
    /// again.</param>
    public long ToUnixMicroseconds(long nanoseconds, long now)
    {
        if (now - readAt >= RefreshAfter || now < readAt - RefreshAfter)
        {
            Refresh();
        }

        return Math.Max(0, (nanoseconds + offset) / 1000);
    }

    /// <summary>The present, in microseconds since 1970 (UTC).</summary>
    public static long UnixMicroseconds() => Read(ClockRealtime) / 1000;

    private void Refresh()
    {
        // The reading between two close readings of the other clock is the best of a few; a preempted one is not used.
        var best = long.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            var before = monotonic();
            var wall = realtime();
            var after = monotonic();
            if (after - before >= best)
            {
                continue;
            }

            best = after - before;
            offset = wall - (before + (best / 2));
            readAt = after;
        }
    }

    private const int ClockRealtime = 0;

    private static unsafe long Read(int clock)
    {
        TimeSpec time;
        return clock_gettime(clock, &time) == 0
            ? (time.Seconds * 1_000_000_000) + time.Nanoseconds
            : throw new InvalidOperationException("clock_gettime failed");
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc")]
    private static unsafe partial int clock_gettime(int clock, TimeSpec* time);
}
