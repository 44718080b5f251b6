namespace Beyla.Agent.Processes.Inspections;

/// <summary>Limits of <see cref="Aside"/>.</summary>
public sealed record AsideOptions
{
    /// <summary>Inspections that wait; those beyond have to be asked for later.</summary>
    public int MaximumWaiting { get; init; } = 4096;

    /// <summary>Of these, inspections of processes of one user.</summary>
    public int MaximumWaitingPerUser { get; init; } = 1024;

    /// <summary>A look that lasts longer is taken for blocked: another thread goes on with the others.</summary>
    public TimeSpan BlockedAfter { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>A look that lasts longer is answered without it, unless the keeper is to blame (<see cref="AskKeeper"/>).</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Threads that are replaced while they do not come back. Beyond, files are looked at no more until one of them does.
    /// </summary>
    public int MaximumBlocked { get; init; } = 3;

    /// <summary>Of these, threads that processes of one user hold.</summary>
    public int MaximumBlockedPerUser { get; init; } = 2;

    /// <summary>
    /// Asks what opens files for the readers something that it answers at once, and returns when it did. Null for the desk of the reader
    /// that is given, or where there is none.
    /// </summary>
    public Action? AskKeeper { get; init; }

    /// <summary>
    /// Told, once for each device, of looks that passed the deadline, and of each look that ended by an error; for the log. Any thread.
    /// </summary>
    public Action<string>? Troubled { get; init; }
}
