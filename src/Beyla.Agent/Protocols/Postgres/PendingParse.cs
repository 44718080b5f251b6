namespace Beyla.Agent.Protocols.Postgres;

/// <summary>The last Parse, as long as its response is not there: should the server reject it, this is what is known of it.</summary>
internal struct PendingParse
{
    /// <summary>Its statement, with a reference; null when there is none.</summary>
    public StatementText? Statement;

    /// <summary>Its place among the messages that have a response.</summary>
    public long Ordinal;

    /// <summary>First and last byte; CLOCK_MONOTONIC in nanoseconds.</summary>
    public long Start, End;

    /// <summary>Process and thread that moved it, in the initial pid namespace.</summary>
    public int Pid, Tid;

    /// <summary>Goroutine that moved it; 0 where there is none.</summary>
    public long Goroutine;
}
