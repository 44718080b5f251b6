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
                return Literal(false);
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
    private SqlToken Literal(bool escapes)
    {
        var quote = at;
        while (true)
        {
            var end = dialect == SqlDialect.Generic ? SqlQuote.AgreedEnd(text, quote, (byte)'\'')
                : escapes || dialect == SqlDialect.MySql ? SqlQuote.EscapedEnd(text, quote, (byte)'\'')
                : SqlQuote.End(text, quote, (byte)'\'');
            if (end == SqlQuote.Unsure)
            {
                return SqlToken.Unsure;
            }

            at = end == SqlQuote.Open ? text.Length : end;
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
