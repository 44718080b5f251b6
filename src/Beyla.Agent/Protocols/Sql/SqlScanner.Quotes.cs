namespace Beyla.Agent.Protocols.Sql;

/// <summary>What begins with a quote, a dollar sign or U&amp;.</summary>
internal ref partial struct SqlScanner
{
    /// <summary>PostgreSQL's U&amp;'…' and U&amp;"…": backslashes are no escapes of the quote (4.1.2.3).</summary>
    private SqlToken UnicodeEscapes()
    {
        switch (SqlBytes.At(text, at + 1))
        {
            case (byte)'\'':
                at++;
                return Literal(Backslash((byte)'u'));
            case (byte)'"':
                at++;
                return Quoted((byte)'"', dialect == SqlDialect.Postgres ? SqlToken.QuotedName : SqlToken.NameOrLiteral);
            default:
                return SqlToken.Word;
        }
    }

    /// <summary>PostgreSQL's $1, $$…$$ and $tag$…$tag$; Transact-SQL's money.</summary>
    private SqlToken Dollar()
    {
        var digits = Digits(at + 1);
        if (digits > 0)
        {
            return dialect == SqlDialect.SqlServer
                ? Take(SqlNumber.End(text, at + 1) - at, SqlToken.Literal)
                : Take(1 + digits, SqlToken.Parameter);
        }

        var tag = SqlQuote.DollarTag(text, at);
        Looked += tag.Length;
        if (tag.Length < 2 || dialect == SqlDialect.SqlServer)
        {
            return Take(1, SqlToken.Symbol);
        }

        if (dialect != SqlDialect.Postgres)
        {
            return tag[^1] == '$' ? SqlToken.Unsure : Take(1, SqlToken.Symbol);
        }

        at += tag.Length;
        var length = text[at..].IndexOf(tag);
        at = length < 0 ? text.Length : at + length + tag.Length;
        return SqlToken.Literal;
    }

    /// <summary>A literal in single quotes, from its opening quote on.</summary>
    /// <param name="backslash">What a backslash is in it, to PostgreSQL.</param>
    private SqlToken Literal(SqlBackslash backslash)
    {
        var quote = at;
        while (true)
        {
            var end = dialect == SqlDialect.Generic || (dialect == SqlDialect.Postgres && backslash == SqlBackslash.Unknown)
                ? SqlQuote.AgreedEnd(text, quote, (byte)'\'')
                : dialect == SqlDialect.MySql || (dialect == SqlDialect.Postgres && backslash == SqlBackslash.Escape)
                ? SqlQuote.EscapedEnd(text, quote, (byte)'\'')
                : SqlQuote.End(text, quote, (byte)'\'');
            if (end == SqlQuote.Unsure)
            {
                return SqlToken.Unsure;
            }

            at = end == SqlQuote.Open ? text.Length : end;
            if (backslash != SqlBackslash.Plain && reading.Encoding == SqlEncoding.Kind.Unknown
                && SqlEncoding.HasDoubtfulBackslash(text[quote..at]))
            {
                return SqlToken.Unsure;
            }

            if (dialect != SqlDialect.Postgres)
            {
                return SqlToken.Literal;
            }

            quote = SqlQuote.Continued(text, at);
            if (quote < 0)
            {
                Looked += ~quote - at;
                return SqlToken.Literal;
            }
        }
    }

    /// <summary>
    /// What a backslash is in a literal with that prefix. National ones (N) are as those without any; in the others (B, X, U&amp;) it is a
    /// character as any other, and wrong where strings have escapes: then both count.
    /// </summary>
    private readonly SqlBackslash Backslash(byte prefix) =>
        prefix == 'n' || reading.Backslash != SqlBackslash.Escape ? reading.Backslash : SqlBackslash.Unknown;

    private SqlToken Quoted(byte quote, SqlToken kind)
    {
        var end = kind == SqlToken.Literal ? SqlQuote.EscapedEnd(text, at, quote)
            : dialect == SqlDialect.Generic ? SqlQuote.AgreedEnd(text, at, quote)
            : SqlQuote.End(text, at, quote);
        if (end == SqlQuote.Unsure)
        {
            return SqlToken.Unsure;
        }

        at = end == SqlQuote.Open ? text.Length : end;
        return end == SqlQuote.Open ? SqlToken.Literal : kind;
    }

    private SqlToken Backticks()
    {
        var from = at;
        var kind = Quoted((byte)'`', SqlToken.QuotedName);
        var isPlain = dialect == SqlDialect.MySql || text[from..at].IndexOfAny((byte)'\'', (byte)'"', (byte)'$') < 0;
        return isPlain ? kind : SqlToken.Unsure;
    }
}
