using System.Buffers;
using System.Text;

namespace Beyla.Agent.Export;

/// <summary>
/// Makes captured bytes safe to show. Nothing that acts on a terminal or cannot be seen leaves here (<see cref="HiddenText"/>): control
/// characters, format characters (bidi overrides and isolates, zero-width and tag characters), separators of lines, characters without
/// a shape, invalid UTF-8. Each value is bounded; one that was cut ends in <c>…</c>.
/// </summary>
public static class Escape
{
    /// <summary>Bytes by which a value may exceed its limit: the mark of a cut.</summary>
    public const int MarkLength = 3;

    /// <summary>Shorter than what is worth the preparations of a search, bytes.</summary>
    private const int ShortText = 24;

    private static readonly SearchValues<byte> PlainText =
        SearchValues.Create("!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    private static readonly SearchValues<byte> PlainJson =
        SearchValues.Create(" !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>
    /// For one field of a line that people read: <c>\xNN</c> for bytes (controls, space, invalid UTF-8), <c>\u{N}</c> for characters
    /// (those that are hidden, every Unicode space), <c>\\</c> for a backslash. The field never holds a blank.
    /// </summary>
    /// <param name="value">Captured bytes.</param>
    /// <param name="limit">Most bytes to write, without the mark of a cut.</param>
    /// <param name="line">Where it goes.</param>
    /// <returns>False when the value was cut.</returns>
    public static bool Text(scoped ReadOnlySpan<byte> value, int limit, ref LineWriter line)
    {
        if (value.Length <= Math.Min(limit, ShortText) && IsPlain(value))
        {
            line.Write(value);
            return true;
        }

        var end = line.Position + limit;
        while (!value.IsEmpty)
        {
            var plain = CopyPlain(value, PlainText, end, ref line);
            value = value[plain..];
            if (plain > 0)
            {
                continue;
            }

            var before = line.Position;
            var used = 1;
            if (value[0] == '\\')
            {
                line.Write("\\\\"u8);
            }
            else if (value[0] < 0x80 || Rune.DecodeFromUtf8(value, out var rune, out used) != OperationStatus.Done)
            {
                for (var i = 0; i < used; i++)
                {
                    line.Write("\\x"u8);
                    line.WriteByte("0123456789abcdef"u8[value[i] >> 4]);
                    line.WriteByte("0123456789abcdef"u8[value[i] & 15]);
                }
            }
            else if (HiddenText.IsHidden(rune) || HiddenText.IsBlank(rune))
            {
                line.Write("\\u{"u8);
                line.WriteHex((ulong)rune.Value);
                line.Write("}"u8);
            }
            else
            {
                line.Write(value[..used]);
            }

            if (line.Position > end)
            {
                return Cut(before, ref line);
            }

            value = value[used..];
        }

        return true;
    }

    /// <summary>
    /// For the inside of a JSON string: always valid UTF-8 and valid JSON. Each maximal invalid sequence becomes U+FFFD, as the Unicode
    /// standard recommends; hidden characters become <c>\uXXXX</c>.
    /// </summary>
    /// <param name="value">Captured bytes.</param>
    /// <param name="limit">Most bytes to write, without the mark of a cut.</param>
    /// <param name="line">Where it goes.</param>
    /// <returns>False when the value was cut.</returns>
    public static bool Json(scoped ReadOnlySpan<byte> value, int limit, ref LineWriter line)
    {
        var end = line.Position + limit;
        Span<char> units = stackalloc char[2];
        while (!value.IsEmpty)
        {
            var plain = CopyPlain(value, PlainJson, end, ref line);
            value = value[plain..];
            if (plain > 0)
            {
                continue;
            }

            var before = line.Position;
            var used = 1;
            if (value[0] is (byte)'"' or (byte)'\\')
            {
                line.Write("\\"u8);
                line.WriteByte(value[0]);
            }
            else if (value[0] < 0x80)
            {
                Unit(value[0], ref line);
            }
            else if (Rune.DecodeFromUtf8(value, out var rune, out used) != OperationStatus.Done)
            {
                line.Write("\uFFFD"u8);
            }
            else if (!HiddenText.IsHidden(rune))
            {
                line.Write(value[..used]);
            }
            else
            {
                foreach (var unit in units[..rune.EncodeToUtf16(units)])
                {
                    Unit(unit, ref line);
                }
            }

            if (line.Position > end)
            {
                return Cut(before, ref line);
            }

            value = value[used..];
        }

        return true;
    }

    /// <summary>As the other one, for text of the agent's own that may hold captured names.</summary>
    public static bool Json(string value, int limit, ref LineWriter line)
    {
        Span<byte> bytes = stackalloc byte[256];
        return Encoding.UTF8.TryGetBytes(value, bytes, out var written)
            ? Json(bytes[..written], limit, ref line)
            : Json(Encoding.UTF8.GetBytes(value), limit, ref line);
    }

    /// <summary>As the other one, for text of the agent's own that may hold captured names.</summary>
    public static bool Text(string value, int limit, ref LineWriter line)
    {
        Span<byte> bytes = stackalloc byte[256];
        return Encoding.UTF8.TryGetBytes(value, bytes, out var written)
            ? Text(bytes[..written], limit, ref line)
            : Text(Encoding.UTF8.GetBytes(value), limit, ref line);
    }

    /// <summary>Whether a text has no byte but those of <see cref="PlainText"/>.</summary>
    private static bool IsPlain(ReadOnlySpan<byte> value)
    {
        foreach (var b in value)
        {
            if (b is <= (byte)' ' or >= 0x7f or (byte)'\\')
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Copies the plain bytes at the front as far as there is room.</summary>
    private static int CopyPlain(scoped ReadOnlySpan<byte> value, SearchValues<byte> plain, int end, ref LineWriter line)
    {
        var length = value.IndexOfAnyExcept(plain);
        if (length < 0)
        {
            length = value.Length;
        }

        length = Math.Min(length, end - line.Position);
        line.Write(value[..length]);
        return length;
    }

    private static bool Cut(int position, ref LineWriter line)
    {
        line.Truncate(position);
        line.Write("…"u8);
        return false;
    }

    private static void Unit(int unit, ref LineWriter line)
    {
        line.Write("\\u"u8);
        for (var shift = 12; shift >= 0; shift -= 4)
        {
            line.WriteByte("0123456789abcdef"u8[(unit >> shift) & 15]);
        }
    }
}
