using System.Diagnostics.CodeAnalysis;

namespace Beyla.Agent.Processes.Inspections;

/// <summary>How much of a process may be looked at now.</summary>
internal enum InspectionAccess : byte
{
    /// <summary>Nothing yet: others of the same user have not come back, and may still.</summary>
    Wait,

    /// <summary>Nothing that can wait.</summary>
    WithoutFiles,

    /// <summary>Everything that is asked for.</summary>
    Full,
}

/// <summary>The part of one user.</summary>
internal sealed class UserShare
{
    /// <summary>Real user id.</summary>
    public required uint User { get; init; }

    /// <summary>Inspections of the user that wait, oldest first.</summary>
    public Queue<Inspection> Waiting { get; } = [];

    /// <summary>No further look before this time (Stopwatch): what has been used is paid off by waiting.</summary>
    public long NotBefore { get; set; }

    /// <summary>Looks that are being taken.</summary>
    public int Running { get; set; }

    /// <summary>Threads that do not come back from processes of this user.</summary>
    public int Blocked { get; set; }
}

/// <summary>
/// Inspections that wait. Users take turns, each has room of its own, and what one uses of the processor is followed by a pause
/// of three times that, so that storms of one user cost a quarter of a processor and hold up only himself. The caller locks.
/// </summary>
internal sealed class InspectionQueue(int maximum, int maximumPerUser, long ticksPerSecond)
{
    // A usual look costs a millisecond: services of one user that start together need no pauses.
    private const double FreeSeconds = 0.005, LongestPauseSeconds = 1, PauseFactor = 3;

    private readonly Dictionary<uint, UserShare> shares = [];
    private readonly LinkedList<UserShare> turns = [];

    /// <summary>Inspections of all users that wait.</summary>
    internal int Count { get; private set; }

    /// <summary>Users that are remembered.</summary>
    internal int Users => shares.Count;

    /// <summary>False when the user, or all together, have no room.</summary>
    internal bool TryAdd(Inspection inspection)
    {
        if (Count >= maximum)
        {
            return false;
        }

        if (!shares.TryGetValue(inspection.User, out var share))
        {
            share = shares[inspection.User] = new UserShare { User = inspection.User };
            turns.AddLast(share);
        }

        if (share.Waiting.Count >= maximumPerUser)
        {
            return false;
        }

        share.Waiting.Enqueue(inspection);
        Count++;
        return true;
    }

    /// <summary>Takes what is next.</summary>
    /// <param name="now">Stopwatch.</param>
    /// <param name="access">What may be looked at of a user's processes.</param>
    /// <param name="inspection">The inspection.</param>
    /// <param name="share">Its user's part.</param>
    /// <param name="how">How it is to be done.</param>
    /// <param name="due">If nothing is due: when something will be, or long.MaxValue.</param>
    internal bool TryTake(
        long now, Func<UserShare, InspectionAccess> access,
        [NotNullWhen(true)] out Inspection? inspection, [NotNullWhen(true)] out UserShare? share,
        out InspectionAccess how, out long due)
    {
        (inspection, share, how, due) = (null, null, InspectionAccess.Wait, long.MaxValue);
        for (var node = turns.First; node is not null;)
        {
            var (candidate, next) = (node.Value, node.Next);
            if (candidate.Waiting.Count == 0)
            {
                if (candidate.NotBefore <= now && candidate.Running == 0)
                {
                    turns.Remove(node);
                    shares.Remove(candidate.User);
                }
            }
            else if (candidate.NotBefore > now)
            {
                due = Math.Min(due, candidate.NotBefore);
            }
            else if ((how = access(candidate)) != InspectionAccess.Wait)
            {
                turns.Remove(node);
                turns.AddLast(node);
                (inspection, share) = (candidate.Waiting.Dequeue(), candidate);
                share.Running++;
                Count--;
                return true;
            }

            node = next;
        }

        return false;
    }

    /// <summary>A look has ended: the user pays for it.</summary>
    /// <param name="share">The user.</param>
    /// <param name="seconds">Processor time of the look.</param>
    /// <param name="now">Stopwatch.</param>
    internal void Charge(UserShare share, double seconds, long now)
    {
        share.Running--;
        if (seconds > FreeSeconds)
        {
            share.NotBefore = Math.Max(
                share.NotBefore, now + (long)(Math.Min(seconds * PauseFactor, LongestPauseSeconds) * ticksPerSecond));
        }
    }
}
