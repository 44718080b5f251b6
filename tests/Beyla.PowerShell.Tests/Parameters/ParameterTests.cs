using Beyla.PowerShell.Parameters;

namespace Beyla.PowerShell.Tests.Parameters;

public sealed class ParameterTests
{
    [Theory]
    [InlineData("8080", 8080, 8080, "8080")]
    [InlineData("9000-9010", 9000, 9010, "9000-9010")]
    [InlineData(" 80 - 90 ", 80, 90, "80-90")]
    [InlineData("1-65535", 1, 65535, "1-65535")]
    public void Port_ranges_are_read_and_written(string text, int first, int last, string written)
    {
        var range = new PortRange(text);

        Assert.Equal((first, last, written), (range.First, range.Last, range.ToString()));
        Assert.True(range.Contains(first) && range.Contains(last) && !range.Contains(first - 1) && !range.Contains(last + 1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("http")]
    [InlineData("1-2-3")]
    [InlineData("0")]
    [InlineData("65536")]
    [InlineData("-5")]
    [InlineData("90-80")]
    [InlineData("99999999999")]
    public void A_bad_port_names_itself(string text)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => new PortRange(text));

        Assert.Contains(text, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("30s", 30)]
    [InlineData("1.5m", 90)]
    [InlineData("500ms", 0.5)]
    [InlineData("2H", 7200)]
    [InlineData("1d", 86400)]
    [InlineData("7", 7)]
    public void Durations_are_read_as_people_write_them(string text, double seconds) => Assert.Equal(seconds, DurationText.Seconds(text));

    [Theory]
    [InlineData("0:0:30")]
    [InlineData("soon")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("")]
    public void What_is_no_such_duration_is_left_to_others(string text) => Assert.Null(DurationText.Seconds(text));
}
