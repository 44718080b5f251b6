using Beyla.PowerShell.Formatting;

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
    public void Lines_end_between_words(string? text, int screen, int before, string lines) =>
        Assert.Equal(lines, View.Words(text, screen, before));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(80)]
    public void A_screen_of_unknown_width_has_80_columns(int screen) =>
        Assert.All(View.Words(string.Join(' ', Enumerable.Repeat("word", 50)), screen, 48).Split('\n'),
            line => Assert.InRange(line.Length, 1, 32));

    [Theory]
    [InlineData(0, "0 µs")]
    [InlineData(350, "350 µs")]
    [InlineData(1_500, "1.50 ms")]
    [InlineData(15_000, "15.0 ms")]
    [InlineData(250_000, "250 ms")]
    [InlineData(2_310_000, "2.31 s")]
    [InlineData(3_600_000_000, "3600 s")]
    public void Durations_have_a_unit(long microseconds, string text) =>
        Assert.Equal(text, View.Duration(TimeSpan.FromMicroseconds(microseconds)));

    [Theory]
    [InlineData(null, "")]
    [InlineData(512d, "512 B")]
    [InlineData(1536d, "1.5 KiB")]
    [InlineData(5e15, "4.4 PiB")]
    [InlineData(1023.9 * 1024, "1024 KiB")]
    [InlineData(5e18, "4441 PiB")]
    public void Bytes_have_a_unit(double? bytes, string text) => Assert.Equal(text, View.Bytes(bytes));

    [Theory]
    [InlineData("127.0.0.1", 80, 21, "127.0.0.1:80")]
    [InlineData("255.255.255.255", 65535, 21, "255.255.255.255:65535")]
    [InlineData("::1", 80, 21, "[::1]:80")]
    [InlineData("fe80::1", 0, 21, "fe80::1")]
    [InlineData("2001:db8:1234:5678:9abc:def0:1234:5678", 54321, 47, "[2001:db8:1234:5678:9abc:def0:1234:5678]:54321")]
    [InlineData("2001:db8:1234:5678:9abc:def0:1234:5678", 54321, 21, "[2001:d…4:5678]:54321")]
    [InlineData("2001:db8:1234:5678:9abc:def0:1234:5678", 0, 21, "2001:db8:1…:1234:5678")]
    [InlineData("ip-10-1-2-3.compute.internal", 443, 21, "ip-10-1-…internal:443")]
    [InlineData("日本語日本語日本語日本語", 443, 21, "日本語日…語日本語:443")]
    [InlineData("a\u001b[2J", 1, 21, "a\\x1b[2J:1")]
    [InlineData("x", 65535, 3, "…:65535")]
    [InlineData("", 80, 21, "")]
    [InlineData(null, 80, 21, "")]
    public void The_end_of_a_conversation_gives_way_in_the_middle(string? name, int port, int columns, string text) =>
        Assert.Equal(text, View.Endpoint(name, port, columns));
}
