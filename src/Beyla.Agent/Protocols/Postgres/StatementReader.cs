using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>Turns the text of a query into what a span may show of it. Its results are valid until the next text.</summary>
/// <param name="maxText">Bytes of the text without literals.</param>
internal sealed class StatementReader(int maxText)
{
    /// <summary>The longest text that is read of a query's message.</summary>
    private const int MaxText = 8192;

    private readonly byte[] masked = new byte[MaxText];
    private readonly byte[] text = new byte[Math.Clamp(maxText, 0, MaxText)], summary = new byte[SqlSummary.MaxLength];
    private int textLength, summaryLength;

    /// <summary>Texts that were read.</summary>
    public long ReadTexts { get; private set; }

    /// <summary>The text without literals.</summary>
    public ReadOnlySpan<byte> Text => text.AsSpan(0, textLength);

    /// <summary>Its summary.</summary>
    public ReadOnlySpan<byte> Summary => summary.AsSpan(0, summaryLength);

    /// <summary>Reads a text.</summary>
    /// <param name="sql">As sent.</param>
    /// <param name="isCut">There is more of it.</param>
    /// <param name="reading">How the server reads it.</param>
    /// <param name="maxSummary">Bytes of the summary, whole words.</param>
    /// <returns>Parts of the summary.</returns>
    public SqlFacts Read(ReadOnlySpan<byte> sql, bool isCut, SqlReading reading, int maxSummary = SqlSummary.MaxLength)
    {
        ReadTexts++;
        if (SqlEncoding.IsMasked(reading.Encoding))
        {
            var whole = sql[..Math.Min(sql.Length, MaxText)];
            var length = SqlEncoding.Mask(whole, reading.Encoding, masked);
            isCut |= length < sql.Length;
            sql = masked.AsSpan(0, length);
        }

        textLength = SqlText.Sanitise(sql, SqlDialect.Postgres, isCut, text, reading);
        var room = summary.AsSpan(0, Math.Min(maxSummary, SqlSummary.MaxLength));
        var facts = SqlSummary.Write(sql, SqlDialect.Postgres, room, isCut, reading);
        summaryLength = facts.Length;
        return facts;
    }
}
