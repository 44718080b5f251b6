namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// Encodings of PostgreSQL's clients in which a character of more than one byte can have bytes below 128 behind the first: a backslash, a
/// sign, a letter (manual, section 24.3; lengths of characters: src/common/wchar.c). The server never sees these bytes apart: it converts
/// the text before it reads it.
/// </summary>
internal static class SqlEncoding
{
    /// <summary>A second byte is none below this one, which all quotes, the dollar sign and the signs of comments are.</summary>
    private const byte LowestTrail = (byte)'0';

    /// <summary>How characters are made of bytes.</summary>
    public enum Kind : byte
    {
        /// <summary>Each byte below 128 is a character of its own, as in UTF-8, EUC and all encodings of one byte.</summary>
        Apart = 0,

        /// <summary>SJIS, SHIFT_JIS_2004: two bytes, but for those of half width.</summary>
        ShiftJis,

        /// <summary>BIG5, GBK, UHC: two bytes.</summary>
        TwoBytes,

        /// <summary>GB18030: four bytes when the second is a digit, else two.</summary>
        FourBytes,

        /// <summary>JOHAB: as EUC_KR, yet with second bytes below 128.</summary>
        Johab,

        /// <summary>Any of them.</summary>
        Unknown,
    }

    /// <summary>The kind of an encoding.</summary>
    /// <param name="name">As the server calls it in client_encoding.</param>
    public static Kind Find(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("SJIS"u8) || name.SequenceEqual("SHIFT_JIS_2004"u8) ? Kind.ShiftJis
        : name.SequenceEqual("BIG5"u8) || name.SequenceEqual("GBK"u8) || name.SequenceEqual("UHC"u8) ? Kind.TwoBytes
        : name.SequenceEqual("GB18030"u8) ? Kind.FourBytes
        : name.SequenceEqual("JOHAB"u8) ? Kind.Johab
        : Kind.Apart;

    /// <summary>Whether texts have to be masked.</summary>
    public static bool IsMasked(Kind kind) => kind is not (Kind.Apart or Kind.Unknown);

    /// <summary>
    /// Copies a text with bytes above 127 in the place of those below that are part of a character: then it can be read byte by byte. It
    /// ends before a character that is none.
    /// </summary>
    /// <param name="text">As the client sent it.</param>
    /// <param name="kind">Its encoding.</param>
    /// <param name="to">Where to; at least as long.</param>
    /// <returns>Bytes copied: fewer than there are when one is no character, or cut.</returns>
    public static int Mask(ReadOnlySpan<byte> text, Kind kind, Span<byte> to)
    {
        var at = 0;
        while (true)
        {
            var plain = text[at..].IndexOfAnyInRange((byte)0x80, (byte)0xff);
            plain = plain < 0 ? text.Length - at : plain;
            text.Slice(at, plain).CopyTo(to[at..]);
            at += plain;
            if (at == text.Length)
            {
                return at;
            }

            var length = LengthOf(text[at..], kind);
            if (length > text.Length - at)
            {
                return at;
            }

            to[at] = text[at];
            for (var i = at + 1; i < at + length; i++)
            {
                if (text[i] < LowestTrail)
                {
                    return at;
                }

                to[i] = (byte)(text[i] | 0x80);
            }

            at += length;
        }
    }

    /// <summary>
    /// Whether a byte behind one above 127 may be a part of its character, and would be no part of a name if it were not: what a text is
    /// made of differs then.
    /// </summary>
    public static bool MayBeTrail(byte value) => value is >= LowestTrail and < 0x80 && !SqlBytes.IsName(value);

    /// <summary>Whether a backslash may be a part of the character before it.</summary>
    public static bool HasDoubtfulBackslash(ReadOnlySpan<byte> text)
    {
        while (text.IndexOf((byte)'\\') is >= 0 and var at)
        {
            if (at > 0 && text[at - 1] >= 0x80)
            {
                return true;
            }

            text = text[(at + 1)..];
        }

        return false;
    }

    private static int LengthOf(ReadOnlySpan<byte> text, Kind kind) => (kind, text[0]) switch
    {
        (Kind.ShiftJis, >= 0xa1 and <= 0xdf) => 1,
        (Kind.FourBytes, _) when text.Length > 1 && SqlBytes.IsDigit(text[1]) => 4,
        (Kind.Johab, 0x8f) => 3,
        _ => 2,
    };
}
