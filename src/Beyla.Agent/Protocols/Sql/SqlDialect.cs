namespace Beyla.Agent.Protocols.Sql;

/// <summary>Whose rules a text follows: they differ in where a literal, a quoted name and a comment end.</summary>
internal enum SqlDialect : byte
{
    /// <summary>
    /// Not known. Where the dialects would read the same bytes differently, the rest of the text is not shown. It is also the one for
    /// MySQL in the mode NO_BACKSLASH_ESCAPES.
    /// </summary>
    Generic = 0,

    /// <summary>PostgreSQL (manual, section 4.1 Lexical Structure). <see cref="SqlReading"/> has what a session can change.</summary>
    Postgres,

    /// <summary>MySQL and MariaDB in their default mode: "…" is a literal, a backslash escapes (MySQL manual, section 11.1).</summary>
    MySql,

    /// <summary>Transact-SQL: [names], N'…'; "…" is a name or a literal, depending on QUOTED_IDENTIFIER.</summary>
    SqlServer,
}
