namespace Beyla.Agent.Processes.Inspections;

/// <summary>A thread of <see cref="Aside"/>, and what it is at. Its owner locks.</summary>
internal sealed class AsideWorker(Aside owner, int number) : IFileGate
{
    /// <summary>In order of their start.</summary>
    public int Number => number;

    /// <summary>What it looks at; null when it waits for work.</summary>
    public Inspection? Current { get; private set; }

    /// <summary>The part of the user whose process it looks at; null when it waits for work.</summary>
    public UserShare? Share { get; private set; }

    /// <summary>When it began with that, Stopwatch.</summary>
    public long Begun { get; private set; }

    /// <summary>When it is given up, Stopwatch.</summary>
    public long Due { get; private set; }

    /// <summary>That was put off, since the keeper did not answer.</summary>
    public bool IsExcused { get; private set; }

    /// <summary>The device of the file that it reads; 0 before it opened one.</summary>
    public ulong Device { get; set; }

    /// <summary>Lasts long, and another one may have been started.</summary>
    public bool IsBlocked { get; set; }

    /// <summary>The look was answered without it.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>It looks at this process from now on.</summary>
    public void Begin(Inspection inspection, UserShare share, long now, long due) =>
        (Current, Share, Begun, Due, IsExcused) = (inspection, share, now, due, false);

    /// <summary>It has more time.</summary>
    public void Excuse(long due) => (Due, IsExcused) = (due, true);

    /// <summary>It waits for work again.</summary>
    public void End() => (Current, Share, Device, IsBlocked, IsGivenUp) = (null, null, 0, false, false);

    /// <inheritdoc/>
    public bool MayOpen(ulong device) => owner.MayOpen(this, device);
}
