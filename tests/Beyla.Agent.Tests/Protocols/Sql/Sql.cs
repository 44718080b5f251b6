using System.Text;
using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Tests.Protocols.Sql;

/// <summary>The two functions on strings.</summary>
internal static class Sql
{
    public static string Text(string sql, SqlDialect dialect = SqlDialect.Postgres, bool isCut = false) =>
        Text(Encoding.UTF8.GetBytes(sql), dialect, isCut);

    public static string Text(byte[] sql, SqlDialect dialect, bool isCut)
    {
        var to = new byte[sql.Length];
        return Encoding.UTF8.GetString(to.AsSpan(0, SqlText.Sanitise(sql, dialect, isCut, to)));
    }

    public static string Summary(string sql, SqlDialect dialect = SqlDialect.Postgres, bool isCut = false) =>
        Facts(sql, dialect, isCut).Summary;

    public static (string Summary, string Operation, string Collection, string Procedure, int Statements) Facts(
        string sql, SqlDialect dialect = SqlDialect.Postgres, bool isCut = false)
    {
        var to = new byte[SqlSummary.MaxLength];
        var facts = SqlSummary.Write(Encoding.UTF8.GetBytes(sql), dialect, to, isCut);
        var summary = to.AsSpan(0, facts.Length).ToArray();
        return (Part(..), Part(facts.Operation), Part(facts.Collection), Part(facts.StoredProcedure), facts.StatementCount);

        string Part(Range range) => Encoding.UTF8.GetString(summary[range]);
    }
}
