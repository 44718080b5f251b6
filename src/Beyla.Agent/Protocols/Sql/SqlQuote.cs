namespace Beyla.Agent.Protocols.Sql;

/// <summary>Where something in quotes ends (PostgreSQL 4.1.1 and 4.1.2, MySQL 11.1.1, Transact-SQL "Constants").</summary>
internal static class SqlQuote
{
    /// <summary>No end was found: what began goes on to the end of the text.</summary>
    public const int Open = 0;

    /// <summary>It cannot be told: some servers take the backslash before the quote for an escape.</summary>
    public const int Unsure = -1;

    private const int LongestBracket = 256;

    /// <summary>The place behind the closing quote, where two of them stand for one inside.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">The opening quote.</param>
    /// <param name="quote">The closing one.</param>
    public static int End(ReadOnlySpan<byte> text, int at, byte quote)
    {
        while (true)
        {
            var length = text[(at + 1)..].IndexOf(quote);
            if (length < 0)
            {
                return Open;
            }

            at += length + 2;
            if (SqlBytes.At(text, at) != quote)
            {
                return at;
            }
        }
    }

    /// <summary>The same, where a backslash takes the meaning from the byte behind it.</summary>
    public static int EscapedEnd(ReadOnlySpan<byte> text, int at, byte quote)
    {
        at++;
        while (at < text.Length)
        {
            var length = text[at..].IndexOfAny(quote, (byte)'\\');
            if (length < 0)
            {
                break;
            }

            at += length + 1;
            if (text[at - 1] == quote && SqlBytes.At(text, at) != quote)
            {
                return at;
            }

            at++;
        }

        return Open;
    }

    /// <summary>The same, where it is not known whether a backslash does that: <see cref="Unsure"/> if it matters.</summary>
    public static int AgreedEnd(ReadOnlySpan<byte> text, int at, byte quote)
    {
        while (true)
        {
            var from = at + 1;
            var length = text[from..].IndexOf(quote);
            if (length < 0)
            {
                return Open;
            }

            var inside = text.Slice(from, length);
            var slashes = length - 1 - inside.LastIndexOfAnyExcept((byte)'\\');
            if ((slashes & 1) != 0)
            {
                return Unsure;
            }

            at = from + length + 1;
            if (SqlBytes.At(text, at) != quote)
            {
                return at;
            }
        }
    }

    /// <summary>
    /// Where PostgreSQL goes on with a literal that has just ended: two of them with white space between that has a line break are one, and
    /// the second is read as the first was, with or without escapes (4.1.2.1).
    /// The opening quote, or the complement of the place that was looked at last.
    /// </summary>
    public static int Continued(ReadOnlySpan<byte> text, int at)
    {
        var line = false;
        while (at < text.Length)
        {
            var c = text[at];
            if (SqlBytes.IsBlank(c))
            {
                line |= c is (byte)'\n' or (byte)'\r';
                at++;
            }
            else if (c == '-' && SqlBytes.At(text, at + 1) == '-')
            {
                at = SqlComment.End(text, at, SqlDialect.Postgres);
            }
            else
            {
                return c == '\'' && line ? at : ~at;
            }
        }

        return ~at;
    }

    /// <summary>
    /// The tag of a dollar quote that begins at a place, with both signs: <c>$$</c>, <c>$tag$</c> (4.1.2.4). Empty if none does;
    /// all that is left if the text ends inside of it.
    /// </summary>
    public static ReadOnlySpan<byte> DollarTag(ReadOnlySpan<byte> text, int at)
    {
        var end = at + 1;
        while (end < text.Length && text[end] != '$' && SqlBytes.IsName(text[end]))
        {
            end++;
        }

        if (SqlBytes.IsDigit(SqlBytes.At(text, at + 1)))
        {
            return default;
        }

        return end == text.Length ? text[at..] : text[end] == '$' ? text[at..(end + 1)] : default;
    }

    /// <summary>
    /// Whether what follows is read alike by those who take <c>[…]</c> for a name and those who do not: no quote in it stays open.
    /// </summary>
    public static bool BracketAgrees(ReadOnlySpan<byte> text, int at)
    {
        var body = text[at..Math.Min(text.Length, at + LongestBracket)];
        var end = body.IndexOf((byte)']');
        if (end < 0)
        {
            return body.IndexOfAny((byte)'\'', (byte)'"', (byte)'`') < 0 && body.Length < LongestBracket;
        }

        // Two closing ones are one inside of a name.
        var twice = SqlBytes.At(body, end + 1) == ']';
        body = body[..end];
        return !twice && (body.Count((byte)'\'') & 1) == 0 && body.IndexOfAny((byte)'"', (byte)'`', (byte)'\\') < 0
            && body.IndexOf("--"u8) < 0 && body.IndexOf("/*"u8) < 0;
    }
}
