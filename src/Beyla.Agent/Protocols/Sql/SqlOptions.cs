using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Sql;

/// <summary>Settings of the search for SQL.</summary>
public sealed record SqlOptions
{
    /// <summary>Limits of its exchanges.</summary>
    public LedgerOptions Ledger { get; init; } = new();

    /// <summary>
    /// After how long a silence a response counts as complete, while no other request follows: how long it is cannot be read.
    /// </summary>
    public TimeSpan Quiet { get; init; } = TimeSpan.FromSeconds(1);
}
