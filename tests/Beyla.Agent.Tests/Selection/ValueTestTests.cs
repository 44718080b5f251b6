using System.Globalization;
using System.Text;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Tests.Selection;

/// <summary>Values of attributes against the globs and comparisons of Grafana Beyla's page "Filter metrics and traces".</summary>
public sealed class ValueTestTests
{
    [Theory]
    [InlineData("TCP", "TCP", true)]
    [InlineData("TCP", "TCPX", false)]
    [InlineData("TCP", "", false)]
    [InlineData("/api/*", "/api/", true)]
    [InlineData("/api/*", "/api/users/17", true)]
    [InlineData("/api/*", "/apis", false)]
    [InlineData("*.png", "/a/b.png", true)]
    [InlineData("*.png", ".pn", false)]
    // The start and the end may not be the same bytes.
    [InlineData("aba*aba", "ababa", false)]
    [InlineData("aba*aba", "abaaba", true)]
    [InlineData("*", "", true)]
    [InlineData("?*", "", false)]
    [InlineData("?*", "é", true)]
    [InlineData("caf?", "café", true)]
    [InlineData("*é*", "un café noir", true)]
    [InlineData("{GET,HEAD}", "HEAD", true)]
    [InlineData("{GET,HEAD}", "POST", false)]
    [InlineData("[45]??", "503", true)]
    [InlineData("[!45]??", "503", false)]
    [InlineData("a\\*", "a*", true)]
    [InlineData("a\\*", "ab", false)]
    public void A_glob_is_one_over_the_whole_text(string glob, string value, bool fits)
    {
        var (match, not) = (Of(glob, isNegated: false), Of(glob, isNegated: true));
        for (var i = 0; i < 2; i++) // the second time it may be remembered
        {
            Assert.Equal((fits, !fits), (match.Holds(Encoding.UTF8.GetBytes(value)), not.Holds(Encoding.UTF8.GetBytes(value))));
        }
    }

    [Theory]
    [InlineData("53", 53, true)]
    [InlineData("53", 530, false)]
    [InlineData("5??", 503, true)]
    [InlineData("5??", 404, false)]
    [InlineData("?*", null, false)]
    [InlineData("*", null, true)]
    public void A_number_is_matched_by_its_digits(string glob, int? value, bool fits) =>
        Assert.Equal((fits, !fits), (Of(glob, isNegated: false).Holds(value), Of(glob, isNegated: true).Holds(value)));

    [Theory]
    [InlineData(NumberOperator.Equals, "500")]
    [InlineData(NumberOperator.NotEquals, "499 501 none")]
    [InlineData(NumberOperator.GreaterThan, "501")]
    [InlineData(NumberOperator.GreaterEquals, "500 501")]
    [InlineData(NumberOperator.LessThan, "499")]
    [InlineData(NumberOperator.LessEquals, "499 500")]
    public void Comparisons(NumberOperator comparison, string held)
    {
        var test = new ValueTest(new ValueCondition(null, false, [new(comparison, 500)]));
        Assert.Equal(
            held.Split(' '),
            ((long?[])[499, 500, 501, null]).Where(value => test.Holds(value))
                .Select(static value => value?.ToString(CultureInfo.InvariantCulture) ?? "none"));
    }

    [Fact]
    public void Several_comparisons_and_a_glob_all_hold()
    {
        var even = new ValueTest(new ValueCondition(
            Parse("*[02468]"), false, [new(NumberOperator.GreaterEquals, 400), new(NumberOperator.LessThan, 405)]));
        Assert.Equal([400, 402, 404], Enumerable.Range(395, 15).Where(value => even.Holds(value)));
    }

    [Fact]
    public void What_is_remembered_is_bounded_and_right_after_it_was_forgotten()
    {
        var test = Of("*/[0-9]*/x", isNegated: false);
        for (var i = 0; i < 50_000; i++)
        {
            Assert.True(test.Holds(Encoding.UTF8.GetBytes($"/{i}/x")));
            Assert.False(test.Holds(Encoding.UTF8.GetBytes($"/{i}/y")));
            Assert.InRange(test.Count, 1, ValueTest.MaximumKept / 64);
        }

        var kept = test.Count;
        var tooLong = Encoding.UTF8.GetBytes($"/7{new string('-', ValueTest.LongestKept)}/x");
        Assert.True(test.Holds(tooLong));
        Assert.Equal(kept, test.Count);
    }

    [Theory]
    [InlineData("/api/users")]
    [InlineData("/api/*")]
    [InlineData("/{api,web}/[a-z]*/17")]
    public void A_value_that_repeats_allocates_nothing(string glob)
    {
        var test = Of(glob, isNegated: false);
        byte[][] values = [.. ((string[])["/api/users", "/api/17", "/else", "", new string('é', 2000)]).Select(Encoding.UTF8.GetBytes)];
        void Many()
        {
            for (var i = 0; i < 1000; i++)
            {
                _ = test.Holds(values[i % values.Length]);
                _ = test.Holds(i % 7);
            }
        }

        Many();
        Assert.Equal(0, Allocation.Least(_ => Many()));
    }

    private static Glob Parse(string glob)
    {
        Assert.True(Glob.TryParse(glob, out var parsed, out var error), error);
        return parsed;
    }

    private static ValueTest Of(string glob, bool isNegated) => new(new ValueCondition(Parse(glob), isNegated, []));
}
