using Beyla.Agent.Spans;

namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// The attributes of a span of a statement that was found, by the OpenTelemetry conventions for SQL databases (v1.44), of which
/// <c>other_sql</c> is the system that is not known. One thread: texts are made in the same memory each time.
/// </summary>
internal sealed class SqlSpan
{
    private readonly byte[] text = new byte[SqlConversation.MaxRequest], summary = new byte[SqlSummary.MaxLength];

    /// <summary>Fills in what a statement says.</summary>
    /// <param name="values">Empty.</param>
    /// <param name="statement">Its text as sent; empty when it is not there any more.</param>
    /// <param name="isCut">There is more of it.</param>
    /// <param name="outcome">How the exchange ended.</param>
    public void Fill(SpanValues values, ReadOnlySpan<byte> statement, bool isCut, SpanOutcome outcome)
    {
        var system = "other_sql"u8;
        var facts = SqlSummary.Write(statement, SqlDialect.Generic, summary, isCut);
        var words = summary.AsSpan(0, facts.Length);
        values.Add(SpanAttribute.Name, words.IsEmpty ? system : words);
        values.Add(SpanAttribute.ErrorType, SpanErrors.Of(outcome));
        values.Add(SpanAttribute.DbSystemName, system);
        values.Add(SpanAttribute.DbQuerySummary, words);
        values.Add(SpanAttribute.DbQueryText, text.AsSpan(0, SqlText.Sanitise(statement, SqlDialect.Generic, isCut, text)));
        if (facts.StatementCount == 1)
        {
            values.Add(SpanAttribute.DbOperationName, words[facts.Operation]);
            values.Add(SpanAttribute.DbCollectionName, words[facts.Collection]);
            values.Add(SpanAttribute.DbStoredProcedureName, words[facts.StoredProcedure]);
        }

        values.Add(SpanAttribute.Guess, "protocol"u8);
    }
}
