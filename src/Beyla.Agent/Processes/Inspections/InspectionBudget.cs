using System.Diagnostics;

namespace Beyla.Agent.Processes.Inspections;

/// <summary>
/// What one look at a process may cost: bytes of all files together, and time. What lies beyond is not read, and the
/// answer is what was seen until then.
/// </summary>
/// <param name="desk">Opens files for the reader: while that is waited for, no time passes. Null where there is none.</param>
internal sealed class InspectionBudget(IProcDesk? desk = null)
{
    /// <summary>Bytes of one process: its maps, its environment and its executable, each with an own limit below that.</summary>
    internal const int MaximumBytes = 40 * 1024 * 1024;

    private long deadline = long.MaxValue / 2;

    /// <summary>Stopwatch, without the time for which the desk was waited for.</summary>
    private long Now => Stopwatch.GetTimestamp() - (desk?.Waited ?? 0);

    /// <summary>Bytes that may still be read; negative once more was asked for.</summary>
    internal long Left { get; private set; } = MaximumBytes;

    /// <summary>Whether the time was over: what was read then is not all that there is, and another time there may be more.</summary>
    internal bool IsLate { get; private set; }

    /// <summary>Begins a look.</summary>
    /// <param name="limit">Time for all of it.</param>
    internal void Begin(TimeSpan limit)
    {
        (Left, IsLate) = (MaximumBytes, false);
        deadline = Now + (long)(limit.TotalSeconds * Stopwatch.Frequency);
    }

    /// <summary>Gives time back that passed for no fault of the process.</summary>
    /// <param name="since">From when on, Stopwatch.</param>
    internal void GiveBack(long since) => deadline += Stopwatch.GetTimestamp() - since;

    /// <summary>Takes bytes that were read. False when the budget is spent: no more is to be read.</summary>
    internal bool TrySpend(int bytes)
    {
        Left -= bytes;
        IsLate |= Now > deadline;
        return Left >= 0 && !IsLate;
    }
}
