namespace Beyla.Agent.Tests;

/// <summary>Managed memory that a piece of work takes.</summary>
internal static class Allocation
{
    /// <summary>
    /// The fewest bytes that this thread allocated in one of five equal rounds. What the work itself allocates, it allocates in each; the
    /// runtime adds some now and then: once in about twenty runs on a busy machine, 1,640 bytes or a multiple of that.
    /// </summary>
    /// <param name="round">Does the work, given the number of the round.</param>
    public static long Least(Action<int> round)
    {
        var least = long.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            round(i);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
