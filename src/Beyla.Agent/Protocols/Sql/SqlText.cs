namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// SQL text without its literals (OpenTelemetry database conventions, "Sanitization of db.query.text"). A literal becomes <c>?</c>,
/// a list of them behind IN becomes <c>(?)</c>, comments vanish, white space becomes one blank; names, keywords and places for values
/// stay as they are.
/// </summary>
internal static class SqlText
{
    /// <summary>
    /// Writes the text without literals. What is not proven to be outside of one is not shown: a text that ends inside of a literal
    /// or a quoted name ends in <c>?</c>. Never longer than the text.
    /// </summary>
    /// <param name="sql">The text as the client sent it: any bytes.</param>
    /// <param name="dialect">Whose rules it follows.</param>
    /// <param name="isCut">Whether it is only the beginning of what was sent.</param>
    /// <param name="to">Where to; where it is too small, what fits, cut between two tokens.</param>
    /// <param name="reading">Settings of a session of PostgreSQL.</param>
    /// <returns>Bytes written.</returns>
    public static int Sanitise(ReadOnlySpan<byte> sql, SqlDialect dialect, bool isCut, Span<byte> to, SqlReading reading = default)
    {
        var scanner = new SqlScanner(sql, dialect, reading);
        var writer = new SqlTextWriter(to);
        var words = new SqlContext();
        while (!writer.IsFull)
        {
            var token = scanner.Next();
            switch (token)
            {
                case SqlToken.End:
                    return writer.Length;
                case SqlToken.Blank:
                    writer.Blank();
                    continue;
                case SqlToken.Unsure:
                    writer.Literal();
                    return writer.Length;
                case SqlToken.Word:
                    var word = SqlWords.Find(scanner.Text);
                    if (words.IsValue(word) || (isCut && scanner.IsLast && MayBeValue(scanner.Text)))
                    {
                        writer.Literal();
                    }
                    else
                    {
                        writer.Put(scanner.Text, word == SqlWord.In);
                    }

                    words.OnWord(word);
                    continue;
                case SqlToken.QuotedName when !words.IsSecret:
                case SqlToken.NameOrLiteral when words.IsNamePlace || BeginsQualifiedName(scanner):
                case SqlToken.Parameter:
                    writer.Put(scanner.Text, false);
                    break;
                case SqlToken.Symbol:
                    writer.Symbol(scanner.Text[0]);
                    words.OnSymbol(scanner.Text[0]);
                    continue;
                default:
                    writer.Literal();
                    break;
            }

            words.OnOther();
        }

        return writer.Length;
    }

    /// <summary>
    /// Whether the data of a connection whose protocol is not known has SQL text in it. <see cref="SqlDetect.Find"/> tells where.
    /// </summary>
    public static bool LooksLikeSql(ReadOnlySpan<byte> data) => SqlDetect.Find(data, out _);

    /// <summary>Whether a word at the end of a cut text may go on as TRUE or FALSE.</summary>
    private static bool MayBeValue(ReadOnlySpan<byte> word)
    {
        var whole = (word[0] | 0x20) == 't' ? "true"u8 : "false"u8;
        if (word.Length > whole.Length)
        {
            return false;
        }

        for (var i = 0; i < word.Length; i++)
        {
            if ((word[i] | 0x20) != whole[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A dot and a name behind the closing quote: no literal has that.</summary>
    private static bool BeginsQualifiedName(SqlScanner scanner)
    {
        if (scanner.Following != '.')
        {
            return false;
        }

        var isDot = scanner.Next() == SqlToken.Symbol;
        var next = scanner.Following;
        return isDot && (next is (byte)'"' or (byte)'[' or (byte)'`' or (byte)'*' || SqlBytes.Of(next) == SqlBytes.Kind.Letter);
    }
}
