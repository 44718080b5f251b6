using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>Turns the text of a query into what a span may show of it. Its results are valid until the next text.</summary>
/// <param name="maxText">Bytes of the text without literals.</param>
internal sealed class StatementReader(int maxText)
{
    /// <summary>The longest text that is read of a query's message.</summary>
    private const int MaxText = 8192;

    private readonly byte[] text = new byte[Math.Clamp(maxText, 0, MaxText)], summary = new byte[SqlSummary.MaxLength];
    private int textLength, summaryLength;

    /// <summary>The text without literals.</summary>
    public ReadOnlySpan<byte> Text => text.AsSpan(0, textLength);

    /// <summary>Its summary.</summary>
    public ReadOnlySpan<byte> Summary => summary.AsSpan(0, summaryLength);

    /// <summary>Reads a text.</summary>
    /// <param name="sql">As sent.</param>
    /// <param name="isCut">There is more of it.</param>
    /// <param name="maxSummary">Bytes of the summary, whole words.</param>
    /// <returns>Parts of the summary.</returns>
    public SqlFacts Read(ReadOnlySpan<byte> sql, bool isCut, int maxSummary = SqlSummary.MaxLength)
    {
        textLength = SqlText.Sanitise(sql, SqlDialect.Postgres, isCut, text);
        var facts = SqlSummary.Write(sql, SqlDialect.Postgres, summary.AsSpan(0, Math.Min(maxSummary, SqlSummary.MaxLength)), isCut);
        summaryLength = facts.Length;
        return facts;
    }
}
