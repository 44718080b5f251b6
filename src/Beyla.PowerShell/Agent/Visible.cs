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

    /// <summary>The lines of <paramref name="text"/> that are not empty, made visible.</summary>
    public static List<string> Lines(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. text.Split('\n').Select(line => Text(line.TrimEnd('\r'))).Where(line => line.Length > 0)];
    }

    private static bool Steers(char c) =>
        char.IsControl(c) || c is '\u2028' or '\u2029' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') or '\u200E' or '\u200F' or '\u061C';
}
