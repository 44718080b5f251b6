namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// Finds SQL text in the data of a connection whose protocol is not known (setting <c>ebpf.heuristic_sql_detect</c>), for databases that
/// have no parser here. A keyword alone is no proof: a statement must name its table, and have the second word that it cannot be without.
/// </summary>
internal static class SqlDetect
{
    /// <summary>How far into the data a statement may begin: what stands before it is the header of the unknown protocol.</summary>
    public const int MaxHeader = 256;

    private const int Shortest = 12;

    /// <summary>Finds the first statement, up to the byte that no text has.</summary>
    /// <param name="data">The first bytes of a message.</param>
    /// <param name="text">Where its text is.</param>
    public static bool Find(ReadOnlySpan<byte> data, out Range text)
    {
        Span<byte> summary = stackalloc byte[SqlSummary.MaxLength];
        text = default;
        var last = Math.Min(data.Length - Shortest, MaxHeader);
        var tries = 0;
        for (var at = 0; at <= last; at++)
        {
            var verb = MayBegin(data, at) ? Verb(data[at..]) : SqlWord.None;
            if (verb == SqlWord.None)
            {
                continue;
            }

            var end = at + Printable(data[at..]);
            var facts = SqlSummary.Write(data[at..end], SqlDialect.Generic, summary);
            if (!facts.Collection.Equals(default) && Has(data[at..end], Second(verb)))
            {
                text = at..end;
                return true;
            }

            if (++tries == 4)
            {
                break;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether a text may begin there: behind the header of a message in binary. The last byte of it may look like a letter, as a length
    /// does: then the one before it tells. Within other text, as of HTTP, no statement begins, not even at the beginning of a line.
    /// </summary>
    private static bool MayBegin(ReadOnlySpan<byte> data, int at) =>
        at < 2 || ((data[at - 1] is < 0x20 or >= 0x80 || data[at - 2] < 0x20) && Printable(data[..at]) < at);

    private static SqlWord Verb(ReadOnlySpan<byte> data)
    {
        var length = 0;
        while (length < 8 && length < data.Length && SqlBytes.Of(data[length]) == SqlBytes.Kind.Letter)
        {
            length++;
        }

        var word = SqlBytes.IsBlank(SqlBytes.At(data, length)) ? SqlWords.Find(data[..length]) : SqlWord.None;
        return Second(word) == SqlWord.None ? SqlWord.None : word;
    }

    private static SqlWord Second(SqlWord verb) => verb switch
    {
        SqlWord.Select or SqlWord.Delete => SqlWord.From,
        SqlWord.Insert => SqlWord.Into,
        SqlWord.Update => SqlWord.Set,
        SqlWord.With => SqlWord.As,
        SqlWord.Merge => SqlWord.Using,
        SqlWord.Create or SqlWord.Alter or SqlWord.Drop or SqlWord.Truncate => SqlWord.Table,
        _ => SqlWord.None,
    };

    private static bool Has(ReadOnlySpan<byte> text, SqlWord word)
    {
        var scanner = new SqlScanner(text, SqlDialect.Generic);
        for (var token = scanner.Next(); token is not (SqlToken.End or SqlToken.Unsure); token = scanner.Next())
        {
            if (token == SqlToken.Word && SqlWords.Find(scanner.Text) == word)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>How many bytes at the beginning are text: white space, and what is no control byte.</summary>
    private static int Printable(ReadOnlySpan<byte> data)
    {
        var length = 0;
        while (length < data.Length && (data[length] >= 0x20 || (data[length] >= 9 && data[length] <= 13)) && data[length] != 0x7f)
        {
            length++;
        }

        return length;
    }
}
