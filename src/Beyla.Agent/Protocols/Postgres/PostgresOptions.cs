using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>Settings of the PostgreSQL protocol.</summary>
public sealed record PostgresOptions
{
    /// <summary>Limits of its exchanges.</summary>
    public LedgerOptions Ledger { get; init; } = new();

    /// <summary>
    /// Distinct texts of named prepared statements that are remembered, over all connections
    /// (ebpf.postgres_prepared_statements_cache_size). Of what goes beyond it the text that was not used for longest is forgotten:
    /// its spans have no text then. Zero remembers none.
    /// </summary>
    public int MaxStatements { get; init; } = 1024;

    /// <summary>Bytes of a query's text that a span shows (db.query.text).</summary>
    public int MaxText { get; init; } = 4096;
}
