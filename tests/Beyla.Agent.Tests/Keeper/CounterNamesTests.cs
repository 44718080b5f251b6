using System.Text.RegularExpressions;
using Beyla.Agent.Counting;
using Beyla.Agent.Keeper;
using Beyla.Agent.Tests.Documents;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>What places count goes as numbers.</summary>
public sealed class CounterNamesTests
{
    [Fact]
    public void Every_row_says_what_it_was_made_of()
    {
        long number = 0;
        foreach (var place in CounterNames.Places)
        {
            foreach (var unit in CounterNames.Units)
            {
                var counters = new PlaceCounters(place, unit, ++number, number << 8, number << 16, -number, long.MaxValue - number, 0);
                Assert.Equal(counters, CounterNames.Counters(CounterNames.Row(in counters)));
            }
        }
    }

    [Fact]
    public void What_has_no_number_is_refused()
    {
        Assert.Throws<ArgumentException>(() => CounterNames.Row(new PlaceCounters("printer", "events", 0)));
        Assert.Throws<ArgumentException>(() => CounterNames.Row(new PlaceCounters("names", "spans", 0)));
    }

    /// <summary>The sources of the places of the keeper, read for the words in them.</summary>
    [Theory]
    [InlineData("Kernel/Watcher.cs")]
    [InlineData("Kernel/StartedNames.cs")]
    [InlineData("Kernel/SocketSource.cs")]
    [InlineData("Kernel/RingCounters.cs")]
    [InlineData("Statistics/TcpStatisticPrograms.cs")]
    public void Every_place_and_unit_of_the_kernel_side_has_one(string file)
    {
        var source = File.ReadAllText(Path.Combine(Page.Directory, "../src/Beyla.Agent", file));
        var rows = Regex.Matches(source, """new(?: PlaceCounters)?\((\w+|"\w+"), "(\w+)",""");
        var missed = Regex.Matches(source, """RingCounters\.Missed\("(\w+)",""");
        Assert.NotEqual(0, rows.Count + missed.Count);
        Assert.All(rows, row => Assert.Contains(row.Groups[2].Value, CounterNames.Units));
        Assert.All(
            rows.Select(row => row.Groups[1].Value).Where(place => place.StartsWith('"')).Select(place => place.Trim('"'))
                .Concat(missed.Select(row => row.Groups[1].Value)),
            place => Assert.Contains(place, CounterNames.Places));
        // Each that is made there was read.
        Assert.Equal(Regex.Count(source, "Lost: "), rows.Count);
    }
}
