namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// The summary of an SQL text: <c>{operation} {target} {operation} {target} {target} …</c>, in the order and the case of the text
/// (OpenTelemetry database conventions, "Generating a summary of the query"). Statements stand behind one another, as that format has it.
/// </summary>
/// <remarks>
/// It is for names of spans and for metrics, so what programs make without bound is left out: names of cursors, savepoints, prepared
/// statements, and of roles. So is a table in single quotes, which the conventions keep: it is a literal to all servers here.
/// </remarks>
internal static class SqlSummary
{
    /// <summary>A summary is never longer, bytes.</summary>
    public const int MaxLength = 255;

    /// <summary>Writes the summary.</summary>
    /// <param name="sql">The text as the client sent it, or without its literals: any bytes.</param>
    /// <param name="dialect">Whose rules it follows.</param>
    /// <param name="to">Where to: <see cref="MaxLength"/> bytes, or as many words as fit.</param>
    /// <param name="isCut">The text is only the beginning of what was sent: a word at its end is not whole, and left out.</param>
    /// <param name="reading">Settings of a session of PostgreSQL.</param>
    public static SqlFacts Write(
        ReadOnlySpan<byte> sql, SqlDialect dialect, Span<byte> to, bool isCut = false, SqlReading reading = default)
    {
        Span<SqlFrame> frames = stackalloc SqlFrame[SqlSummaryReader.MaxDepth];
        Span<(int Start, int End)> expressions = stackalloc (int, int)[SqlSummaryReader.MaxExpressions];
        var scanner = new SqlScanner(sql, dialect, reading);
        to = to[..Math.Min(to.Length, MaxLength)];
        var reader = new SqlSummaryReader(scanner, sql, dialect, isCut, to, frames, expressions);
        return reader.Read();
    }
}
