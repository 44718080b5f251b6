namespace Beyla.PowerShell.Tests.Formatting;

/// <summary>What the views show of a value.</summary>
public sealed class ViewTests
{
    [Theory]
    [InlineData("one two three four five six", 40, 20, "one two three four\nfive six")]
    [InlineData("exactly twenty chars one", 40, 20, "exactly twenty chars\none")]
    [InlineData("a word-that-is-longer-than-the-line b", 30, 10, "a\nword-that-is-longer-than-the-line\nb")]
    [InlineData("  spaces   collapse ", 80, 48, "spaces collapse")]
    [InlineData("", 80, 48, "")]
    [InlineData(null, 80, 48, "")]
    [InlineData("\u001b[2J", 80, 48, "\\x1b[2J")]
    public void Lines_end_between_words(string? text, int screen, int before, string lines) => Assert.Equal(lines, View.Words(text, screen, before));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(80)]
    public void A_screen_of_unknown_width_has_80_columns(int screen) =>
        Assert.All(View.Words(string.Join(' ', Enumerable.Repeat("word", 50)), screen, 48).Split('\n'), line => Assert.InRange(line.Length, 1, 32));

    [Theory]
    [InlineData(0, "0 µs")]
    [InlineData(350, "350 µs")]
    [InlineData(1_500, "1.50 ms")]
    [InlineData(15_000, "15.0 ms")]
    [InlineData(250_000, "250 ms")]
    [InlineData(2_310_000, "2.31 s")]
    [InlineData(3_600_000_000, "3600 s")]
    public void Durations_have_a_unit(long microseconds, string text) => Assert.Equal(text, View.Duration(TimeSpan.FromMicroseconds(microseconds)));

    [Theory]
    [InlineData(null, "")]
    [InlineData(512d, "512 B")]
    [InlineData(1536d, "1.5 KiB")]
    [InlineData(5e15, "4.4 PiB")]
    [InlineData(5e18, "4440.9 PiB")]
    public void Bytes_have_a_unit(double? bytes, string text) => Assert.Equal(text, View.Bytes(bytes));
}
