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
    public static string Text(string? text) => Spelled(text, Spell);

    /// <summary>
    /// The same JSON with hidden characters, which stand only in its texts, as <c>\uNNNN</c>: it says the same (RFC 8259, section 7).
    /// </summary>
    public static string Json(string? json) => Spelled(json, static (visible, value) =>
    {
        Span<char> units = stackalloc char[2];
        var length = Rune.TryCreate(value, out var rune) ? rune.EncodeToUtf16(units) : 0;
        foreach (var unit in units[..length])
        {
            visible.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
        }
    });

    /// <summary>
    /// The same page of Prometheus with hidden characters, which stand only in values of labels, as <see cref="Text"/> spells them; a
    /// backslash is written twice there (exposition formats, "Text format details").
    /// </summary>
    public static string Page(string? line) => Spelled(line, static (visible, value) =>
    {
        visible.Append('\\');
        Spell(visible, value);
    });

    private static string Spelled(string? text, Action<StringBuilder, int> spell)
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
                spell(visible, whole ? rune.Value : rest[0]);
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
