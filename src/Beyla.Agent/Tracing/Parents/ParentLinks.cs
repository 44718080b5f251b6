namespace Beyla.Agent.Tracing.Parents;

/// <summary>What an exchange is to <see cref="SpanParents"/>: a request that is being served, or a call.</summary>
internal struct ParentLinks
{
    /// <summary>Of a request that is open: no other one has this number. Else 0.</summary>
    public uint Serial;

    /// <summary>Identity of the connection of a request that is open.</summary>
    public ulong Connection;

    /// <summary>The process that serves it.</summary>
    public TracedProcess? Process;

    /// <summary>The thread that read it, as long as it counts among that one's open ones.</summary>
    public TracedThread? Reader;

    /// <summary>The highest number of a goroutine that was seen in the process before it.</summary>
    public long Goroutines;

    /// <summary>The goroutine that read it, as long as it is found by that; 0 for none.</summary>
    public long Goroutine;

    /// <summary>Neighbours among the open requests of the process.</summary>
    public Exchange? Before, After;

    /// <summary>The first byte of its response was sent.</summary>
    public bool IsAnswered;

    /// <summary>A call has it as its parent: its trace is settled.</summary>
    public bool HasLedTo;

    /// <summary>Its trace is that of a call which is probably its own.</summary>
    public bool IsTraceGuessed;

    /// <summary>It is in <see cref="OpenTraces"/>.</summary>
    public bool IsInTraces;

    /// <summary>It is a call.</summary>
    public bool IsCall;

    /// <summary>Of a call: what decides about its parent, as long as that is not known.</summary>
    public PendingCall? Pending;

    /// <summary>Of a call that is in <see cref="OpenCalls"/>: both ports; else 0.</summary>
    public uint Ports;

    /// <summary>Of a call: the request that led to it.</summary>
    public RequestRef Parent;
}
