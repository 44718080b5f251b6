namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// Where a number ends: <c>12</c>, <c>12.5</c>, <c>.5</c>, <c>1e-9</c>, <c>0xFF</c>, <c>0b1</c>, <c>0o7</c>, <c>1_000</c>
/// (PostgreSQL 4.1.2.6, MySQL 11.1.2). Letters that touch it go with it, as no server takes them for a name of their own for sure.
/// </summary>
internal static class SqlNumber
{
    /// <summary>Whether a number begins there: a digit, or a dot and a digit.</summary>
    public static bool Begins(ReadOnlySpan<byte> text, int at)
    {
        var first = SqlBytes.At(text, at);
        return SqlBytes.IsDigit(first) || (first == '.' && SqlBytes.IsDigit(SqlBytes.At(text, at + 1)));
    }

    /// <summary>The place behind the number.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">Its first digit, or the dot before it; no sign.</param>
    public static int End(ReadOnlySpan<byte> text, int at)
    {
        var hasBase = text[at] == '0' && (SqlBytes.At(text, at + 1) | 0x20) is 'x' or 'b' or 'o';
        if (!hasBase)
        {
            at = Digits(text, at);

            // Two dots are a range of PL/pgSQL.
            if (SqlBytes.At(text, at) == '.' && SqlBytes.At(text, at + 1) != '.')
            {
                at = Digits(text, at + 1);
            }

            if ((SqlBytes.At(text, at) | 0x20) == 'e' && SqlBytes.At(text, at + 1) is (byte)'+' or (byte)'-'
                && SqlBytes.IsDigit(SqlBytes.At(text, at + 2)))
            {
                at += 2;
            }
        }

        // A dollar sign begins something new: 1$$text$$.
        while (at < text.Length && text[at] != '$' && SqlBytes.IsName(text[at]))
        {
            at++;
        }

        return at;
    }

    private static int Digits(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && (SqlBytes.IsDigit(text[at]) || text[at] == '_'))
        {
            at++;
        }

        return at;
    }
}
