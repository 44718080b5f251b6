namespace Beyla.Agent.Linux.SystemCalls;

/// <summary>What a worker does besides reading rings and printing; each widens its filter of system calls.</summary>
[Flags]
public enum WorkerNeeds
{
    /// <summary>Nothing: it opens no connection, and no memory becomes code.</summary>
    None = 0,

    /// <summary>
    /// It asks the C library for names: UNIX, IPv4 and IPv6 sockets, and modules of the name service, whose files are mapped as code.
    /// </summary>
    Names = 1,

    /// <summary>It exports over the network or is asked for metrics: the same, and it listens.</summary>
    Network = 2,
}
