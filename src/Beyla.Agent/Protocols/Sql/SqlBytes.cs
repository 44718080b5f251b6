namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// What a byte can begin or go on with. Bytes above 127 belong to names (PostgreSQL 4.1.1, MySQL 11.2), so text that is no valid UTF-8
/// is no case of its own.
/// </summary>
internal static class SqlBytes
{
    /// <summary>The classes that <see cref="Of"/> tells.</summary>
    public enum Kind : byte
    {
        /// <summary>Stands for itself.</summary>
        Symbol = 0,

        /// <summary>White space, and NUL, which no text has.</summary>
        Blank,

        /// <summary>Begins a name.</summary>
        Letter,

        /// <summary>0 to 9.</summary>
        Digit,

        /// <summary>Begins more than one thing: a quote, a sign, a slash and the like.</summary>
        Special,
    }

    private static readonly Kind[] Kinds = Build();
    private static readonly bool[] Names = [.. Kinds.Select((kind, i) => kind is Kind.Letter or Kind.Digit || i == '$')];

    /// <summary>The class of a byte.</summary>
    public static Kind Of(byte value) => Kinds[value];

    /// <summary>Whether a name can go on with it; a dollar sign too (PostgreSQL, MySQL and Transact-SQL alike).</summary>
    public static bool IsName(byte value) => Names[value];

    /// <summary>The place behind the name that goes on at a place.</summary>
    public static int NameEnd(ReadOnlySpan<byte> text, int at)
    {
        var names = Names;
        while ((uint)at < (uint)text.Length && names[text[at]])
        {
            at++;
        }

        return at;
    }

    /// <summary>Whether it is 0 to 9.</summary>
    public static bool IsDigit(byte value) => Kinds[value] == Kind.Digit;

    /// <summary>Whether it is white space.</summary>
    public static bool IsBlank(byte value) => Kinds[value] == Kind.Blank;

    /// <summary>The byte at a place, or 0 behind the end: no rule asks for 0.</summary>
    public static byte At(ReadOnlySpan<byte> text, int at) => (uint)at < (uint)text.Length ? text[at] : (byte)0;

    private static Kind[] Build()
    {
        var kinds = new Kind[256];
        for (var i = 0; i < 256; i++)
        {
            var letter = i is >= 'a' and <= 'z' or >= 'A' and <= 'Z' or '_' or >= 0x80;
            kinds[i] = letter ? Kind.Letter : i is >= '0' and <= '9' ? Kind.Digit : Kind.Symbol;
        }

        foreach (var c in "\0 \t\n\v\f\r"u8)
        {
            kinds[c] = Kind.Blank;
        }

        foreach (var c in "'\"`[$-+./#:?@"u8)
        {
            kinds[c] = Kind.Special;
        }

        return kinds;
    }
}
