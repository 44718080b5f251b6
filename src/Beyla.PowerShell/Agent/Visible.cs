using System.Buffers;
using System.Globalization;
using System.Text;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Makes captured text safe to show: what could steer a terminal or cannot be seen (<see cref="HiddenText"/>) is spelled out. The agent
/// does the same; the module does not trust that, since objects also come from files, other hosts and other agents.
/// </summary>
public static class Visible
{
    /// <summary>The same text with hidden characters as <c>\xNN</c>, <c>\uNNNN</c> or <c>\UNNNNNNNN</c>.</summary>
    public static string Text(string? text)
    {
        if (string.IsNullOrEmpty(text) || !HiddenText.IsIn(text))
        {
            return text ?? "";
        }

        var visible = new StringBuilder(text.Length + 16);
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            var whole = Rune.DecodeFromUtf16(rest, out var rune, out var length) == OperationStatus.Done;
            if (whole && !HiddenText.IsHidden(rune))
            {
                visible.Append(rest[..length]);
            }
            else
            {
                Spell(visible, whole ? rune.Value : rest[0]);
            }

            rest = rest[(whole ? length : 1)..];
        }

        return visible.ToString();
    }

    /// <summary>The lines of <paramref name="text"/> that are not empty, made visible.</summary>
    public static List<string> Lines(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. text.Split('\n').Select(line => Text(line.TrimEnd('\r'))).Where(line => line.Length > 0)];
    }

    private static void Spell(StringBuilder visible, int value) => visible.Append(value switch
    {
        < 0x100 => string.Create(CultureInfo.InvariantCulture, $"\\x{value:x2}"),
        < 0x10000 => string.Create(CultureInfo.InvariantCulture, $"\\u{value:x4}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"\\U{value:x8}"),
    });
}
