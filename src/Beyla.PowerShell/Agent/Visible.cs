using System.Globalization;
using System.Text;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Makes captured text safe to show: what could steer a terminal is spelled out. The agent does the same; the module does not trust that, since objects also
/// come from files, other hosts and other agents.
/// </summary>
public static class Visible
{
    /// <summary>The same text with control characters, line separators and bidirectional overrides as <c>\xNN</c> or <c>\uNNNN</c>.</summary>
    public static string Text(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "";

        var at = 0;
        while (at < text.Length && !Steers(text[at]))
            at++;
        if (at == text.Length)
            return text;

        var visible = new StringBuilder(text, 0, at, text.Length + 16);
        for (; at < text.Length; at++)
        {
            var c = text[at];
            if (!Steers(c))
                visible.Append(c);
            else if (c < 0x100)
                visible.Append("\\x").Append(((int)c).ToString("x2", CultureInfo.InvariantCulture));
            else
                visible.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
        }

        return visible.ToString();
    }

    /// <summary>The beginning of <paramref name="text"/>, made visible, with an ellipsis when something is left out.</summary>
    /// <param name="text">UTF-8, possibly broken.</param>
    /// <param name="length">Characters at most.</param>
    public static string Excerpt(ReadOnlySpan<byte> text, int length)
    {
        var visible = Text(Encoding.UTF8.GetString(text[..Math.Min(text.Length, 4 * length)]));
        return visible.Length <= length && text.Length <= 4 * length ? visible : string.Concat(visible.AsSpan(0, Math.Min(length, visible.Length)), "…");
    }

    private static bool Steers(char c) =>
        char.IsControl(c) || c is '\u2028' or '\u2029' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') or '\u200E' or '\u200F' or '\u061C';
}
