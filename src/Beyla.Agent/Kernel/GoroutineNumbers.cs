namespace Beyla.Agent.Kernel;

/// <summary>What the numbers of goroutines tell of their age.</summary>
public static class GoroutineNumbers
{
    /// <summary>
    /// So much lower than one that is there may the number of a later goroutine be: each processor of a Go program takes 16 numbers at a
    /// time (Go's runtime/proc.go, newproc1). One of a processor that was idle for long may be lower still: it counts as older.
    /// </summary>
    public static readonly uint Slack = 16 * (uint)Environment.ProcessorCount;
}
