using System.Diagnostics;

namespace Beyla.Agent.Kernel;

/// <summary>CLOCK_MONOTONIC in nanoseconds: what bpf_ktime_get_ns() stamps events with. .NET's Stopwatch reads the same clock on Linux.</summary>
public static class MonotonicClock
{
    /// <summary>Now, in nanoseconds since an arbitrary point.</summary>
    public static ulong Now => (ulong)Stopwatch.GetTimestamp() * (ulong)(1_000_000_000 / Stopwatch.Frequency);
}
