using System.Diagnostics;

namespace Beyla.Agent.Processes.Inspections;

/// <summary>
/// What one look at a process may cost: bytes of all files together, and time. What lies beyond is not read, and the
/// answer is what was seen until then.
/// </summary>
internal sealed class InspectionBudget
{
    /// <summary>Bytes of one process: its maps, its environment and its executable, each with an own limit below that.</summary>
    internal const int MaximumBytes = 40 * 1024 * 1024;

    private long deadline = long.MaxValue;

    /// <summary>Bytes that may still be read; negative once more was asked for.</summary>
    internal long Left { get; private set; } = MaximumBytes;

    /// <summary>Whether the time was over: what was read then is not all that there is, and another time there may be more.</summary>
    internal bool IsLate { get; private set; }

    /// <summary>Begins a look.</summary>
    /// <param name="limit">Time for all of it.</param>
    internal void Begin(TimeSpan limit)
    {
        (Left, IsLate) = (MaximumBytes, false);
        deadline = Stopwatch.GetTimestamp() + (long)(limit.TotalSeconds * Stopwatch.Frequency);
    }

    /// <summary>Takes bytes that were read. False when the budget is spent: no more is to be read.</summary>
    internal bool TrySpend(int bytes)
    {
        Left -= bytes;
        IsLate |= Stopwatch.GetTimestamp() > deadline;
        return Left >= 0 && !IsLate;
    }
}
