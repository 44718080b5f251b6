namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Whose turn it is to write where several threads do, each a whole request; over when one of them could not end what it began.
/// </summary>
public sealed class OutputTurn
{
    /// <summary>After that long it is looked whether the wait is cancelled, in milliseconds.</summary>
    private const int Look = 50;

    private readonly object gate = new();
    private bool isOver;

    /// <summary>Waits for the turn; false when the wait was cancelled first, or nothing may be written any more.</summary>
    public bool TryTake(CancellationToken limit)
    {
        while (!Monitor.TryEnter(gate, Look))
        {
            if (limit.IsCancellationRequested)
            {
                return false;
            }
        }

        if (isOver)
        {
            Monitor.Exit(gate);
            return false;
        }

        return true;
    }

    /// <summary>Gives the turn back, on the thread that took it.</summary>
    /// <param name="isWhole">Whether all was written.</param>
    public void GiveBack(bool isWhole)
    {
        isOver |= !isWhole;
        Monitor.Exit(gate);
    }
}
