namespace Beyla.Agent.Kernel;

/// <summary>The protocols that connections are recognised as (bpf/protocols/protocols.h, enum protocol).</summary>
public enum ProtocolId : byte
{
    /// <summary>Not recognised yet: what was sent so far may become one or another.</summary>
    None = 0,

    /// <summary>HTTP/1.0 and 1.1 (RFC 9112).</summary>
    Http = 1,

    /// <summary>PostgreSQL, frontend/backend protocol 3.</summary>
    Postgres = 2,

    /// <summary>Redis: RESP2, RESP3 and inline commands.</summary>
    Redis = 3,

    /// <summary>
    /// Not known, but statements of SQL were found on it (ebpf.heuristic_sql_detect): a guess. Said to the kernel side, never by it.
    /// </summary>
    Sql = 4,

    /// <summary>None of these, for as long as the connection lives: nothing of it is reported.</summary>
    Foreign = 255,
}
