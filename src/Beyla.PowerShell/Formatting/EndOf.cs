using System.Globalization;
using System.Text;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Formatting;

/// <summary>Shows an end of a conversation in a column.</summary>
internal static class EndOf
{
    private const char Cut = '…';

    /// <summary>
    /// An address or a name with its port, at most so many columns wide. The port is never cut, unless it alone is wider.
    /// </summary>
    internal static string Text(string? name, int port, int columns)
    {
        var text = Visible.Text(name);
        if (text.Length == 0)
        {
            return "";
        }

        var tail = port == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $":{port}");
        var bracketed = port != 0 && text.Contains(':', StringComparison.Ordinal);
        var shown = Shorten(text, columns - tail.Length - (bracketed ? 2 : 0));
        return bracketed ? $"[{shown}]{tail}" : shown + tail;
    }

    // The beginning tells the network, the end the host: as much of either as there is room for.
    private static string Shorten(string text, int columns)
    {
        if (text.Length * 2 <= columns || text.EnumerateRunes().Sum(Columns) <= columns)
        {
            return text;
        }

        var runes = text.EnumerateRunes().ToList();
        var room = columns - 1;
        int first = 0, last = runes.Count;
        while (first < last)
        {
            var next = first <= runes.Count - last ? runes[first] : runes[last - 1];
            room -= Columns(next);
            if (room < 0)
            {
                break;
            }

            if (first <= runes.Count - last)
            {
                first++;
            }
            else
            {
                last--;
            }
        }

        return new StringBuilder().AppendJoin("", runes.Take(first)).Append(Cut).AppendJoin("", runes.Skip(last)).ToString();
    }

    // As PowerShell measures its tables (after wcwidth): East Asian wide characters, and half of a pair counts one.
    private static int Columns(Rune rune) => rune.Value switch
    {
        > 0xffff => 2,
        (>= 0x1100 and <= 0x115f) or 0x2329 or 0x232a or (>= 0x2e80 and <= 0xa4cf and not 0x303f)
            or (>= 0xac00 and <= 0xd7a3) or (>= 0xf900 and <= 0xfaff)
            or (>= 0xfe10 and <= 0xfe19) or (>= 0xfe30 and <= 0xfe6f) or (>= 0xff00 and <= 0xff60) or (>= 0xffe0 and <= 0xffe6) => 2,
        _ => 1,
    };
}
