namespace Beyla.Agent.Tracing.Parents;

/// <summary>What a thread of a traced process did last, as far as it tells which request led to a call.</summary>
internal sealed class TracedThread(int tid, TracedProcess process)
{
    /// <summary>After so many calls that no response of this thread followed, none is waited for.</summary>
    private const int MaxMisses = 8;

    private ulong lastOn;
    private bool lastWasReceive;
    private int misses;

    /// <summary>Neighbours in the order of the last use.</summary>
    public TracedThread? Older, Newer;

    /// <summary>The thread, in the initial pid namespace.</summary>
    public int Tid => tid;

    /// <summary>Its process.</summary>
    public TracedProcess Process => process;

    /// <summary>
    /// It has made a call, or begun a response. One that only reads requests, for others that work (the reactor of puma), owes no response.
    /// </summary>
    public bool HasWorked { get; set; }

    /// <summary>When it was used last; CLOCK_MONOTONIC in nanoseconds.</summary>
    public long Touched { get; set; }

    /// <summary>Number of the operation that it does, or did last.</summary>
    public uint Operation { get; set; }

    /// <summary>Requests that it has read and that are open.</summary>
    public int Open { get; set; }

    /// <summary>The last of them.</summary>
    public RequestRef Current { get; set; }

    /// <summary>The request to which what it received last belongs: that itself, or the response to a call of it.</summary>
    public RequestRef Received { get; set; }

    /// <summary>The connection on which that was; 0 when something else was received since.</summary>
    public ulong ReceivedOn { get; set; }

    /// <summary>
    /// It has received on several connections without sending in between, as loops do that read all first and work then (asyncio, haproxy):
    /// what it sends next may belong to any of them.
    /// </summary>
    public bool IsInBatch { get; private set; }

    /// <summary>Calls whose response was its last operation: the next one tells whose they are.</summary>
    public List<PendingCall> Forward { get; } = [];

    /// <summary>The operation that <see cref="Forward"/> had its responses in.</summary>
    public uint ForwardSince { get; set; }

    /// <summary>Calls that belong to the next request that it responds to.</summary>
    public List<PendingCall> Waiting { get; } = [];

    /// <summary>Whether it is worth while to wait for its next response.</summary>
    public bool MayRespond => misses < MaxMisses;

    /// <summary>It receives or sends on a connection.</summary>
    /// <returns>False when what it received last tells nothing any more of what it does.</returns>
    public bool Move(bool receives, ulong connection)
    {
        var isSame = connection == lastOn;
        var (receivedBefore, sentBefore) = (lastWasReceive, !lastWasReceive && lastOn != 0);
        (lastOn, lastWasReceive) = (connection, receives);
        if (receives)
        {
            IsInBatch = receivedBefore && (IsInBatch || !isSame);
            return !IsInBatch;
        }

        // Of several that it sends to, what was received speaks for the first.
        return !sentBefore || isSame;
    }

    /// <summary>Whether a call that waited for a response of this thread has had it.</summary>
    public void Learn(bool hasResponded) => misses = hasResponded ? 0 : misses + 1;
}
