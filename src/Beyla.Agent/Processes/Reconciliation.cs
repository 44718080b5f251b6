namespace Beyla.Agent.Processes;

/// <summary>
/// One look through all processes after events were lost, a piece at a time. First the processes are listed and told apart by their
/// users, then they are handed out, a process of each user in turn: one who runs twenty thousand does not keep another one's waiting.
/// </summary>
/// <remarks>
/// It is paid for by time: so many processes a second, whatever a user does, and after a round a rest of twenty times
/// what it took. What begins and is lost during a round is found by the next.
/// </remarks>
internal sealed class Reconciliation
{
    /// <summary>Processes that are handed out in a second.</summary>
    internal const int PerSecond = 640;

    /// <summary>Processes that are listed for each one that may be handed out.</summary>
    private const int ListedPerOne = 10;

    private const long Second = 1_000_000_000;
    private const int Rest = 20;

    private readonly Func<int, uint> userOf;
    private readonly Dictionary<uint, Queue<int>> waiting = [];
    private readonly Queue<uint> turns = new();
    private IEnumerator<int>? listed;
    private uint seen;
    private long refilled, spent, next;
    private double allowance;

    /// <param name="userOf">Whose process it is.</param>
    internal Reconciliation(Func<int, uint> userOf) => this.userOf = userOf;

    /// <summary>Whether a round is under way.</summary>
    internal bool IsRunning => listed is not null || turns.Count > 0;

    /// <summary>Whether it is time for a round.</summary>
    /// <param name="lost">How many events were lost so far.</param>
    /// <param name="now">CLOCK_MONOTONIC, ns.</param>
    /// <param name="since">How many since the last round.</param>
    internal bool IsDue(uint lost, long now, out long since)
    {
        since = unchecked(lost - seen);
        return since != 0 && !IsRunning && now >= next;
    }

    /// <summary>Begins a round.</summary>
    /// <param name="lost">How many events were lost so far.</param>
    /// <param name="now">CLOCK_MONOTONIC, ns.</param>
    /// <param name="pids">The processes, listed as they are asked for.</param>
    internal void Begin(uint lost, long now, IEnumerable<int> pids)
    {
        (seen, refilled, spent, next) = (lost, now, 0, now + Second);
        allowance = PerSecond / 10.0;
        listed = pids.GetEnumerator();
    }

    /// <summary>The processes that may be looked at now, a few. What the caller does with each is charged to the round.</summary>
    /// <param name="clock">CLOCK_MONOTONIC, ns.</param>
    internal IEnumerable<int> Take(Func<long> clock)
    {
        var start = clock();
        allowance = Math.Min(PerSecond, allowance + (PerSecond * Math.Max(0, start - refilled) / (double)Second));
        refilled = start;
        for (var many = (int)allowance * ListedPerOne; listed is not null && many > 0; many--)
        {
            List();
        }

        while (listed is null && allowance >= 1 && turns.TryDequeue(out var user))
        {
            allowance--;
            var queue = waiting[user];
            yield return queue.Dequeue();
            if (queue.Count > 0)
            {
                turns.Enqueue(user);
            }
            else
            {
                waiting.Remove(user);
            }
        }

        spent += clock() - start;
        if (!IsRunning)
        {
            next = Math.Max(next, clock() + (Rest * spent));
        }
    }

    private void List()
    {
        if (!listed!.MoveNext())
        {
            listed.Dispose();
            listed = null;
            return;
        }

        var user = userOf(listed.Current);
        if (!waiting.TryGetValue(user, out var queue))
        {
            waiting[user] = queue = new Queue<int>();
            turns.Enqueue(user);
        }

        queue.Enqueue(listed.Current);
    }
}
