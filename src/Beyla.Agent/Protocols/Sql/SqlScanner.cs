namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// Reads a text token by token, each byte a bounded number of times, and allocates nothing. Any bytes will do: nothing is an error,
/// and a literal that has no end goes on to the end of the text.
/// </summary>
internal ref partial struct SqlScanner(ReadOnlySpan<byte> text, SqlDialect dialect, SqlReading reading = default)
{
    private readonly ReadOnlySpan<byte> text = text;
    private int at;
    private SqlToken token;
    private bool hasBracket;

    /// <summary>Where MySQL's comment that is code ends (its <c>*/</c>); -1 outside of one.</summary>
    private int executableEnd = -1;

    /// <summary>The bytes of the token.</summary>
    public readonly ReadOnlySpan<byte> Text => text[Start..at];

    /// <summary>Where the token begins.</summary>
    public int Start { get; private set; }

    /// <summary>The place behind the token.</summary>
    public readonly int End => at;

    /// <summary>The byte behind the token; 0 at the end.</summary>
    public readonly byte Following => SqlBytes.At(text, at);

    /// <summary>Whether the token reaches the end of the text, so that it may be cut.</summary>
    public readonly bool IsLast => at == text.Length;

    /// <summary>
    /// Bytes that were looked at in order to decide, and then read again. Tests use it: it stays in proportion to the text.
    /// </summary>
    public int Looked { get; private set; }

    /// <summary>Goes on to the next token.</summary>
    public SqlToken Next()
    {
        var previous = token;
        Start = at;
        token = at >= text.Length ? SqlToken.End : at == executableEnd ? LeaveExecutable() : Read(previous);
        if (executableEnd >= 0 && at > executableEnd && Start < executableEnd)
        {
            // For a server that does not execute the comment it ended inside of this token.
            token = SqlToken.Unsure;
        }

        if (token == SqlToken.Word && reading.Encoding == SqlEncoding.Kind.Unknown && IsSplit())
        {
            token = SqlToken.Unsure;
        }

        if (token == SqlToken.Unsure)
        {
            at = text.Length;
        }

        return token;
    }

    /// <summary>
    /// Whether the word ends with what may be the first byte of a character that the next one belongs to, and goes on behind that: the
    /// prefix of a literal, or the tag of a dollar quote, may begin there for some and not for others.
    /// </summary>
    private readonly bool IsSplit() => text[at - 1] >= 0x80 && SqlEncoding.MayBeTrail(Following)
        && (SqlBytes.At(text, Start - 1) == '$' || SqlBytes.At(text, at + 2) is (byte)'\'' or (byte)'&');

    /// <summary>Goes on to the next token that is not white space.</summary>
    public SqlToken NextVisible()
    {
        var next = Next();
        return next == SqlToken.Blank ? Next() : next;
    }

    private SqlToken Read(SqlToken previous) => SqlBytes.Of(text[at]) switch
    {
        SqlBytes.Kind.Letter => Word(),
        SqlBytes.Kind.Blank => Blank(),
        SqlBytes.Kind.Digit => Number(),
        SqlBytes.Kind.Special => Special(previous),
        _ => Take(1, SqlToken.Symbol),
    };

    private SqlToken Take(int length, SqlToken kind)
    {
        at += length;
        return kind;
    }

    private SqlToken Blank()
    {
        while (at < text.Length)
        {
            if (SqlBytes.IsBlank(text[at]))
            {
                at++;
                continue;
            }

            var end = text[at] is (byte)'-' or (byte)'/' or (byte)'#' ? SqlComment.End(text, at, dialect) : at;
            if (end == at || IsExecutable())
            {
                break;
            }

            if (end == SqlComment.Unsure)
            {
                return at == Start ? SqlToken.Unsure : SqlToken.Blank;
            }

            at = end;
        }

        return SqlToken.Blank;
    }

    private readonly bool IsExecutable() => dialect == SqlDialect.MySql && text[at] == '/' && SqlBytes.At(text, at + 1) == '*'
        && (SqlBytes.At(text, at + 2) == '!' || (SqlBytes.At(text, at + 2) == 'M' && SqlBytes.At(text, at + 3) == '!'));

    private SqlToken EnterExecutable()
    {
        if (executableEnd >= 0)
        {
            return SqlToken.Unsure;
        }

        var length = text[(at + 2)..].IndexOf("*/"u8);
        executableEnd = length < 0 ? text.Length : at + 2 + length;
        Looked += executableEnd - at;
        at += text[at + 2] == '!' ? 3 : 4;
        while (SqlBytes.IsDigit(Following))
        {
            at++;
        }

        return SqlToken.Blank;
    }

    private SqlToken LeaveExecutable()
    {
        executableEnd = -1;
        return Take(2, SqlToken.Blank);
    }

    private SqlToken Word()
    {
        at = SqlBytes.NameEnd(text, at);

        var next = Following;
        if (next is not ((byte)'\'' or (byte)'"' or (byte)'&') || (at - Start > 2 && text[Start] != '_'))
        {
            return SqlToken.Word;
        }

        var first = (byte)(text[Start] | 0x20);
        if (at - Start == 1 && next == '&' && first == 'u' && dialect is SqlDialect.Postgres or SqlDialect.Generic)
        {
            return UnicodeEscapes();
        }

        if (next == '\'' && SqlPrefix.Belongs(Text, dialect))
        {
            return Literal(first == 'e' && dialect == SqlDialect.Postgres ? SqlBackslash.Escape : Backslash(first));
        }

        // Oracle's q'[it's]' ends with its bracket; MySQL's _utf8"…" is a literal with the quote anyway.
        var isAlternative = dialect == SqlDialect.Generic && next == '\'' && (text[at - 1] | 0x20) == 'q';
        return isAlternative ? SqlToken.Unsure : SqlToken.Word;
    }

    private SqlToken Number() => Take(SqlNumber.End(text, at) - at, SqlToken.Literal);

    private SqlToken Special(SqlToken previous)
    {
        switch (text[at])
        {
            case (byte)'\'':
                return Literal(reading.Backslash);
            case (byte)'"':
                return Quoted((byte)'"', dialect switch
                {
                    SqlDialect.Postgres => SqlToken.QuotedName,
                    SqlDialect.MySql => SqlToken.Literal,
                    _ => SqlToken.NameOrLiteral,
                });
            case (byte)'`' when dialect is SqlDialect.MySql or SqlDialect.Generic:
                return Backticks();
            case (byte)'[' when dialect == SqlDialect.SqlServer:
                return Quoted((byte)']', SqlToken.QuotedName);
            case (byte)'[' when dialect == SqlDialect.Generic:
                hasBracket = true;
                return SqlQuote.BracketAgrees(text, at) ? Take(1, SqlToken.Symbol) : SqlToken.Unsure;
            case (byte)'$':
                return Dollar();
            case (byte)'-' or (byte)'/' or (byte)'#':
                if (IsExecutable())
                {
                    return EnterExecutable();
                }

                var end = SqlComment.End(text, at, dialect);
                return end == SqlComment.Unsure ? SqlToken.Unsure : end != at ? Blank() : Sign(previous);
            case (byte)'+':
                return Sign(previous);
            case (byte)'.' when SqlNumber.Begins(text, at):
                return Number();
            case (byte)'?' or (byte)':' or (byte)'@':
                return Place(previous);
            default:
                return Take(1, SqlToken.Symbol);
        }
    }

    /// <summary>A sign belongs to the number behind it; close behind a name or a bracket it is an operator.</summary>
    private SqlToken Sign(SqlToken previous)
    {
        if (text[at] is (byte)'/' or (byte)'#' || !SqlNumber.Begins(text, at + 1) || IsOperand(previous))
        {
            var isName = text[at] == '#' && dialect == SqlDialect.SqlServer;
            at++;
            return isName ? PrefixedName() : SqlToken.Symbol;
        }

        at++;
        return Number();
    }

    private readonly bool IsOperand(SqlToken previous) =>
        previous is SqlToken.Word or SqlToken.QuotedName or SqlToken.NameOrLiteral
        || previous == SqlToken.Parameter
        || (previous == SqlToken.Symbol && text[at - 1] is (byte)')' or (byte)']');

    /// <summary>Transact-SQL's #name, ##name, @name and @@name, behind the first sign.</summary>
    private SqlToken PrefixedName()
    {
        at += Following is (byte)'#' or (byte)'@' ? 1 : 0;
        at = SqlBytes.NameEnd(text, at);

        return SqlToken.Word;
    }

    /// <summary>A place for a value: <c>?</c>, <c>?1</c>, <c>:1</c>, <c>@1</c>, as the dialect has it.</summary>
    private SqlToken Place(SqlToken previous)
    {
        var mark = text[at++];
        if (dialect == SqlDialect.Postgres)
        {
            // Operators all: ? asks for a key of a document, :1 ends a slice, :: casts.
            return SqlToken.Symbol;
        }

        // The 2 of a slice a[1:2] is a literal.
        var numbered = mark switch
        {
            (byte)'?' => dialect == SqlDialect.Generic,
            (byte)':' => dialect == SqlDialect.Generic && !hasBracket && previous is SqlToken.Blank or SqlToken.Symbol,
            _ => dialect == SqlDialect.SqlServer,
        };
        if (mark == '@' && dialect == SqlDialect.SqlServer && !SqlBytes.IsDigit(Following))
        {
            return PrefixedName();
        }

        if (!numbered || !SqlBytes.IsDigit(Following))
        {
            return mark == '?' ? SqlToken.Parameter : SqlToken.Symbol;
        }

        at += Digits(at);
        return SqlToken.Parameter;
    }

    private readonly int Digits(int from)
    {
        var end = from;
        while (SqlBytes.IsDigit(SqlBytes.At(text, end)))
        {
            end++;
        }

        return end - from;
    }
}
