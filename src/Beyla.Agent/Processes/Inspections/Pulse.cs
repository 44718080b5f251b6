using System.Diagnostics;

namespace Beyla.Agent.Processes.Inspections;

/// <summary>
/// Whether the keeper goes on, by a question that it answers at once and a thread that waits for the answer: while it stands still every
/// reader that asks it waits, and no process is to blame. Its owner locks.
/// </summary>
/// <param name="gate">The owner's lock.</param>
/// <param name="ask">Returns when it has answered; null where readers open files themselves.</param>
/// <param name="answered">Called when it did, with the lock held.</param>
internal sealed class Pulse(object gate, Action? ask, Action answered)
{
    private const int StackSize = 64 * 1024;

    private long asked = long.MinValue;
    private TimeSpan took;
    private bool isAsked;

    /// <summary>
    /// Whether a reader is to be waited for beyond its time, which then is set anew: the keeper has not answered yet, or only just, so
    /// that what it owes to the reader may be on its way.
    /// </summary>
    /// <param name="worker">The reader.</param>
    /// <param name="now">Stopwatch.</param>
    /// <param name="patience">So soon the keeper answers, and the reader after it.</param>
    internal bool Excuses(AsideWorker worker, long now, TimeSpan patience)
    {
        if (isAsked)
        {
            return true;
        }

        if (asked < worker.Due)
        {
            return TryAsk(now);
        }

        if (worker.IsExcused && took <= patience)
        {
            return false;
        }

        worker.Excuse(now + (long)(patience.TotalSeconds * Stopwatch.Frequency));
        return true;
    }

    private bool TryAsk(long now)
    {
        if (ask is null)
        {
            return false;
        }

        try
        {
            (asked, isAsked) = (now, true);
            new Thread(() => Wait(ask), StackSize) { IsBackground = true, Name = "pulse" }.Start();
        }
        catch (OutOfMemoryException)
        {
            // No thread to be had now: then it is as if nobody could be asked.
            isAsked = false;
        }

        return isAsked;
    }

    private void Wait(Action question)
    {
        question();
        lock (gate)
        {
            (took, isAsked) = (Stopwatch.GetElapsedTime(asked), false);
            answered();
        }
    }
}
