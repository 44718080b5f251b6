using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>What a summary says besides its words.</summary>
/// <param name="Operation">Part of the summary.</param>
/// <param name="Collection">Part of the summary.</param>
/// <param name="Procedure">Part of the summary.</param>
/// <param name="Statements">How many statements there are.</param>
internal readonly record struct StatementFacts(Range Operation, Range Collection, Range Procedure, int Statements);

/// <summary>Turns the text of a query into what a span may show of it. Its results are valid until the next text.</summary>
/// <param name="maxText">Bytes of the text without literals.</param>
internal sealed class StatementReader(int maxText)
{
    /// <summary>Limit of db.query.summary by the OpenTelemetry conventions.</summary>
    private const int MaxSummary = 255;

    private readonly byte[] text = new byte[Math.Clamp(maxText, 0, 8192)], summary = new byte[MaxSummary];
    private int textLength, summaryLength;

    /// <summary>The text without literals.</summary>
    public ReadOnlySpan<byte> Text => text.AsSpan(0, textLength);

    /// <summary>Its summary.</summary>
    public ReadOnlySpan<byte> Summary => summary.AsSpan(0, summaryLength);

    /// <summary>Reads a text.</summary>
    /// <param name="sql">As sent.</param>
    /// <param name="isCut">There is more of it.</param>
    public StatementFacts Read(ReadOnlySpan<byte> sql, bool isCut)
    {
        textLength = SqlText.Sanitise(sql, SqlDialect.Postgres, isCut, text);
        var facts = SqlSummary.Write(sql, SqlDialect.Postgres, summary);
        summaryLength = facts.Length;
        return new StatementFacts(facts.Operation, facts.Collection, facts.StoredProcedure, facts.StatementCount);
    }
}
