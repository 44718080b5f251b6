using System.Globalization;
using System.Text;
using Beyla.Agent.Export;
using Beyla.Agent.Logging;

namespace Beyla.Agent.Tests.Contracts;

/// <summary>
/// The one definition of what may not reach a terminal, over all of Unicode, and everything in the agent that goes by it.
/// </summary>
public sealed class HiddenTextTests
{
    /// <summary>
    /// Default_Ignorable_Code_Point of the Unicode character database (DerivedCoreProperties.txt, 16.0), first and last of each range.
    /// </summary>
    private static readonly (int First, int Last)[] Ignorable =
    [
        (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
        (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
    ];

    private static readonly UnicodeCategory[] Categories =
    [
        UnicodeCategory.Control, UnicodeCategory.Format, UnicodeCategory.LineSeparator, UnicodeCategory.ParagraphSeparator,
        UnicodeCategory.PrivateUse, UnicodeCategory.Surrogate, UnicodeCategory.OtherNotAssigned,
    ];

    [Fact]
    public void Every_character_is_hidden_by_its_category_or_because_it_is_ignorable()
    {
        foreach (var rune in Everything())
        {
            Assert.True(Expected(rune) == HiddenText.IsHidden(rune), $"U+{rune.Value:X4}");
        }
    }

    [Theory]
    [InlineData("plain /path?x=ü日本語\u00a0e\u0301🙂", false)]
    [InlineData("", false)]
    [InlineData("a\u200bb", true)]
    [InlineData("\U000E0041", true)]
    [InlineData("❤\uFE0F", true)]
    [InlineData("\uE000", true)]
    [InlineData("\t", true)]
    public void A_text_is_hidden_when_a_character_of_it_is(string text, bool hidden) => Assert.Equal(hidden, HiddenText.IsIn(text));

    [Fact]
    public void Half_of_a_surrogate_pair_is_hidden() =>
        Assert.All(["a\uD83D", "\uDE42a", "\uDE42\uD83D"], text => Assert.True(HiddenText.IsIn(text)));

    [Fact]
    public void No_printer_and_no_log_lets_a_hidden_character_through()
    {
        foreach (var rune in Everything())
        {
            var text = $"a{rune}b";
            string[] shown = [Printed(text, Escape.Text), Printed(text, Escape.Json), LogText.Escape(text), LogText.Quote(text)];
            Assert.False(Array.Exists(shown, one => HiddenText.IsIn(one)), $"U+{rune.Value:X4}");

            // And what is seen stays as it is, blanks and what the formats themselves need apart.
            if (!HiddenText.IsHidden(rune) && !HiddenText.IsBlank(rune) && rune.Value is not ('"' or '\\'))
            {
                Assert.True(shown.SequenceEqual([text, text, text, $"\"{text}\""]), $"U+{rune.Value:X4}");
            }
        }
    }

    private delegate bool Printer(string value, int limit, ref LineWriter line);

    private static string Printed(string text, Printer printer)
    {
        Span<byte> bytes = stackalloc byte[128];
        var line = new LineWriter(bytes);
        Assert.True(printer(text, 100, ref line));
        return Encoding.UTF8.GetString(bytes[..line.Position]);
    }

    private static bool Expected(Rune rune) => Categories.Contains(CharUnicodeInfo.GetUnicodeCategory(rune.Value))
        || Array.Exists(Ignorable, range => rune.Value >= range.First && rune.Value <= range.Last);

    private static IEnumerable<Rune> Everything() => Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Select(value => new Rune(value));
}
