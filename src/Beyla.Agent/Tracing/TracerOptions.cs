namespace Beyla.Agent.Tracing;

/// <summary>Limits of the connection table.</summary>
public sealed record TracerOptions
{
    /// <summary>Connections that are followed at a time; beyond that the least recently active one is evicted and counted.</summary>
    public int MaxConnections { get; init; } = 65536;

    /// <summary>
    /// A connection without an event for this long is forgotten: its close was lost. An exchange still open on it is
    /// reported as unfinished.
    /// </summary>
    public TimeSpan StaleAfter { get; init; } = TimeSpan.FromHours(1);
}
