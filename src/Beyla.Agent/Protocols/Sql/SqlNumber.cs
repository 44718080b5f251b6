namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// Where a number ends: <c>12</c>, <c>12.5</c>, <c>.5</c>, <c>1e-9</c>, <c>0xFF</c>, <c>0b1</c>, <c>0o7</c>, <c>1_000</c>
/// (PostgreSQL 4.1.2.6, MySQL 11.1.2). Letters that touch it are a word of their own, as they are to PostgreSQL before 15.
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
        var kind = text[at] == '0' ? SqlBytes.At(text, at + 1) | 0x20 : 0;
        if (kind is 'x' or 'b' or 'o' && IsDigit(SqlBytes.At(text, at + 2), kind == 'x'))
        {
            return Digits(text, at + 2, kind == 'x');
        }

        at = Digits(text, at, false);

        // Two dots are a range of PL/pgSQL.
        if (SqlBytes.At(text, at) == '.' && SqlBytes.At(text, at + 1) != '.')
        {
            at = Digits(text, at + 1, false);
        }

        if ((SqlBytes.At(text, at) | 0x20) == 'e')
        {
            var sign = SqlBytes.At(text, at + 1) is (byte)'+' or (byte)'-' ? 1 : 0;
            at = SqlBytes.IsDigit(SqlBytes.At(text, at + 1 + sign)) ? Digits(text, at + 1 + sign, false) : at;
        }

        return at;
    }

    private static int Digits(ReadOnlySpan<byte> text, int at, bool hex)
    {
        while (IsDigit(SqlBytes.At(text, at), hex) || (SqlBytes.At(text, at) == '_' && IsDigit(SqlBytes.At(text, at + 1), hex)))
        {
            at++;
        }

        return at;
    }

    private static bool IsDigit(byte value, bool hex) => SqlBytes.IsDigit(value) || (hex && char.IsAsciiHexDigit((char)value));
}
