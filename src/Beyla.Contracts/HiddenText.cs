using System.Buffers;
using System.Globalization;
using System.Text;

namespace Beyla;

/// <summary>
/// Which characters may not reach a terminal as they are, because they act on it or cannot be seen: the one definition for the agent's
/// printers and log and for the module. Hidden are the general categories Cc, Cf, Zl, Zp, Co, Cs and Cn (UAX #44 table 12), and what
/// Unicode calls Default_Ignorable_Code_Point (DerivedCoreProperties.txt), which holds letters and marks without a shape. Blanks (Zs)
/// are seen as blanks and are not hidden.
/// </summary>
public static class HiddenText
{
    /// <summary>Whether a character is hidden.</summary>
    public static bool IsHidden(Rune rune) =>
        rune.Value is < ' ' or > '~' && (IsCategory(Rune.GetUnicodeCategory(rune)) || IsIgnorable(rune.Value));

    /// <summary>Whether any character of the text is hidden; half of a surrogate pair is.</summary>
    public static bool IsIn(ReadOnlySpan<char> text)
    {
        // Nearly all text is printable ASCII.
        var at = text.IndexOfAnyExceptInRange(' ', '~');
        if (at < 0)
        {
            return false;
        }

        for (text = text[at..]; !text.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(text, out var rune, out var length) != OperationStatus.Done || IsHidden(rune))
            {
                return true;
            }

            text = text[length..];
        }

        return false;
    }

    /// <summary>Whether a character is seen as a blank (Zs): the space, and others that look like it.</summary>
    public static bool IsBlank(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.SpaceSeparator;

    /// <summary>
    /// Characters that are newer than this runtime's tables count as not assigned: they are spelled out rather than trusted.
    /// </summary>
    private static bool IsCategory(UnicodeCategory category) =>
        category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse
        or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned;

    /// <summary>
    /// What is ignorable and has another category: joiner, fillers, inherent vowels, variation selectors. Tags are
    /// all of plane 14's beginning.
    /// </summary>
    private static bool IsIgnorable(int value) =>
        value is 0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or (>= 0x180B and <= 0x180F) or 0x3164
        or (>= 0xFE00 and <= 0xFE0F) or 0xFFA0 or (>= 0xE0000 and <= 0xE0FFF);
}
