using System.Globalization;
using System.Text;

namespace Beyla.Agent.Logging;

/// <summary>Makes any text safe for a line of logfmt and for a terminal, by the rules of Go's slog.TextHandler and strconv.Quote.</summary>
public static class LogText
{
    /// <summary>
    /// Appends a value: as it is, or in quotes and escaped where it is empty or holds blanks, quotes, <c>=</c>, control or invisible
    /// characters.
    /// </summary>
    public static void Append(StringBuilder line, string value)
    {
        if (!NeedsQuotes(value))
        {
            line.Append(value);
            return;
        }

        line.Append('"');
        AppendEscaped(line, value, quoted: true);
        line.Append('"');
    }

    /// <summary>The text in quotes and escaped.</summary>
    public static string Quote(string value)
    {
        var text = new StringBuilder(value.Length + 2).Append('"');
        AppendEscaped(text, value, quoted: true);
        return text.Append('"').ToString();
    }

    /// <summary>The text with control and invisible characters escaped, without quotes around it.</summary>
    public static string Escape(string value)
    {
        var text = new StringBuilder(value.Length);
        AppendEscaped(text, value, quoted: false);
        return text.ToString();
    }

    private static bool NeedsQuotes(string value)
    {
        if (value.Length == 0)
        {
            return true;
        }

        if (value.AsSpan().ContainsAny(' ', '"', '=') || HiddenText.IsIn(value))
        {
            return true;
        }

        foreach (var rune in value.EnumerateRunes())
        {
            if (!rune.IsAscii && HiddenText.IsBlank(rune))
            {
                return true;
            }
        }

        return false;
    }

    private static void AppendEscaped(StringBuilder text, string value, bool quoted)
    {
        for (var i = 0; i < value.Length;)
        {
            if (Rune.DecodeFromUtf16(value.AsSpan(i), out var rune, out var length) != System.Buffers.OperationStatus.Done)
            {
                // Half of a surrogate pair, which is what undecodable bytes become.
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)value[i]:x4}");
                i++;
                continue;
            }

            i += length;
            switch (rune.Value)
            {
                case '"' when quoted:
                    text.Append("\\\"");
                    break;
                case '\\' when quoted:
                    text.Append("\\\\");
                    break;
                case '\a':
                    text.Append("\\a");
                    break;
                case '\b':
                    text.Append("\\b");
                    break;
                case '\f':
                    text.Append("\\f");
                    break;
                case '\n':
                    text.Append("\\n");
                    break;
                case '\r':
                    text.Append("\\r");
                    break;
                case '\t':
                    text.Append("\\t");
                    break;
                case '\v':
                    text.Append("\\v");
                    break;
                case < ' ' or 0x7f:
                    text.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
                    break;
                default:
                    if (rune.Value == ' ' || IsPrintable(rune))
                    {
                        text.Append(rune.ToString());
                    }
                    else if (rune.Value <= 0xffff)
                    {
                        text.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
                    }
                    else
                    {
                        text.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
                    }

                    break;
            }
        }
    }

    /// <summary>Seen, and not a blank.</summary>
    private static bool IsPrintable(Rune rune) => !HiddenText.IsHidden(rune) && !HiddenText.IsBlank(rune);
}
