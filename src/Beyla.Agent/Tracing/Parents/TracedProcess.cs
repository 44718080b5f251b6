namespace Beyla.Agent.Tracing.Parents;

/// <summary>
/// The requests that a process serves now, and how it works. One whose threads serve one request after the other (*exclusive*) tells by the
/// thread which request a call belongs to. One that begins the next request on a thread that still owes a response does not: an event loop,
/// or a pool of continuations. Which it is, is measured as it runs, and changes one way only.
/// </summary>
internal sealed class TracedProcess(int pid)
{
    /// <summary>Below so many requests not enough is known of a process to wait for what its threads do next.</summary>
    private const int Few = 16;

    /// <summary>
    /// Fewer overlaps are no sign: a pool whose connections are read by one thread in common has some (measured: 0.7 % of the requests;
    /// event loops 95 %).
    /// </summary>
    private const int FewestOverlaps = 5, OverlapShare = 20;

    private long requests, overlaps;

    /// <summary>The process, in the initial pid namespace.</summary>
    public int Pid => pid;

    /// <summary>The thread does not tell which request a call belongs to.</summary>
    public bool IsLoop { get; private set; }

    /// <summary>What <see cref="IThreadRule"/> was told; null when nothing was.</summary>
    public bool? IsToldAsLoop { get; set; }

    /// <summary>What it is written in was asked for.</summary>
    public bool IsLanguageKnown { get; private set; }

    /// <summary>Of a Go program: the highest number of a goroutine that was seen.</summary>
    public long Goroutines { get; set; }

    /// <summary>Requests that are open.</summary>
    public int Open { get; private set; }

    /// <summary>One of them: the only one when there is one.</summary>
    public Exchange? First { get; private set; }

    /// <summary>Threads with calls that wait for their next response.</summary>
    public List<TracedThread> Waiting { get; } = [];

    /// <summary>What a call of this process took from its own header last as its identity: several calls may have the same.</summary>
    public ulong Adopted { get; set; }

    /// <summary>Whether a call may wait for the next response of its thread.</summary>
    public bool MayWait => !IsLoop && requests >= Few;

    /// <summary>Takes a runtime for what it is known to be.</summary>
    public void Learn(ProcessLanguage language)
    {
        IsLanguageKnown = true;
        IsLoop |= SpanParents.IsLoop(language);
    }

    /// <summary>A request begins.</summary>
    /// <param name="request">Its links are filled in.</param>
    /// <param name="overlaps">The thread that read it owes a response on another connection.</param>
    public void Add(Exchange request, bool overlaps)
    {
        requests++;
        this.overlaps += overlaps ? 1 : 0;
        IsLoop |= this.overlaps >= FewestOverlaps && this.overlaps * OverlapShare > requests;
        Open++;
        request.Links.After = First;
        if (First is not null)
        {
            First.Links.Before = request;
        }

        First = request;
    }

    /// <summary>A request is over.</summary>
    public void Remove(Exchange request)
    {
        ref var links = ref request.Links;
        Open--;
        if (links.Before is null)
        {
            First = links.After;
        }
        else
        {
            links.Before.Links.After = links.After;
        }

        if (links.After is not null)
        {
            links.After.Links.Before = links.Before;
        }
    }
}
