using Beyla.Agent.Selection;

namespace Beyla.Agent.Tests.Selection;

public sealed class IntegerRangesTests
{
    [Theory]
    [InlineData("80", "80")]
    [InlineData("80,443,8000-8999", "80,443,8000-8999")]
    [InlineData(" 80 , 8000 - 8999 ", "80,8000-8999")]
    [InlineData("1-65535", "1-65535")]
    [InlineData("", "")]
    [InlineData("  ", "")]
    public void Reads_lists_of_numbers_and_ranges(string text, string expected)
    {
        Assert.True(IntegerRanges.TryParse(text, 1, 65535, out var ranges, out var error), error);
        Assert.Equal(expected, ranges.ToString());
        Assert.Equal(expected.Length == 0, ranges.IsEmpty);
    }

    [Fact]
    public void Holds_its_ends_and_nothing_beside()
    {
        Assert.True(IntegerRanges.TryParse("80,8000-8002", 1, 65535, out var ranges, out _));
        Assert.Equal([80, 8000, 8001, 8002], Enumerable.Range(0, 65536).Where(ranges.Contains));
    }

    [Theory]
    [InlineData("http", "\"http\" is neither a number nor a range such as 8000-8999")]
    [InlineData("80,", "\"\" is neither a number nor a range such as 8000-8999")]
    [InlineData("-80", "\"-80\" is neither a number nor a range such as 8000-8999")]
    [InlineData("80-", "\"80-\" is neither a number nor a range such as 8000-8999")]
    [InlineData("1-2-3", "\"1-2-3\" is neither a number nor a range such as 8000-8999")]
    [InlineData("0", "\"0\" is outside 1-65535")]
    [InlineData("65536", "\"65536\" is outside 1-65535")]
    [InlineData("80,1-70000", "\"1-70000\" is outside 1-65535")]
    [InlineData("90-80", "the range \"90-80\" ends before it starts")]
    [InlineData("99999999999", "\"99999999999\" is neither a number nor a range such as 8000-8999")]
    [InlineData("8０", "\"8０\" is neither a number nor a range such as 8000-8999")]
    public void Names_the_entry_that_is_wrong(string text, string expected)
    {
        Assert.False(IntegerRanges.TryParse(text, 1, 65535, out _, out var error));
        Assert.Equal(expected, error);
    }

    [Fact]
    public void Bounds_the_number_of_entries()
    {
        Assert.False(IntegerRanges.TryParse(string.Join(',', Enumerable.Range(1, 1025)), 1, 65535, out _, out var error));
        Assert.Equal("1025 entries, at most 1024 are allowed", error);
    }
}
