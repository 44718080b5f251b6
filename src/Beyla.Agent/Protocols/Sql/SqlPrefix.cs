namespace Beyla.Agent.Protocols.Sql;

/// <summary>Letters that belong to the literal behind them.</summary>
internal static class SqlPrefix
{
    /// <summary>
    /// Whether the quote behind that word begins its literal: E, B, X and N of PostgreSQL (4.1.2), N, B, X and _charset of MySQL (11.1.1),
    /// N of Transact-SQL.
    /// </summary>
    public static bool Belongs(ReadOnlySpan<byte> word, SqlDialect dialect)
    {
        if (word[0] == '_' && word.Length > 1)
        {
            return dialect is SqlDialect.MySql or SqlDialect.Generic;
        }

        return word.Length == 1 && (word[0] | 0x20) switch
        {
            'n' => true,
            'b' or 'x' => dialect != SqlDialect.SqlServer,
            'e' => dialect is SqlDialect.Postgres or SqlDialect.Generic,
            _ => false,
        };
    }
}
