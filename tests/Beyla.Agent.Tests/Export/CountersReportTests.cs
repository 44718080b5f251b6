using System.Text;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;

namespace Beyla.Agent.Tests.Export;

public class CountersReportTests
{
    internal static readonly string Line = """
        {"type":"counters","time":"2026-08-20T08:11:12.000000Z","places":[
        {"place":"tracing","unit":"events","produced":3000,"emitted":0,"aggregated":2990,"filtered":0,"lost":0,"held":10},
        {"place":"spans","unit":"spans","produced":1000,"emitted":990,"aggregated":0,"filtered":10,"lost":0,"held":0},
        {"place":"printer","unit":"spans","produced":990,"emitted":980,"aggregated":0,"filtered":0,"lost":10,"held":0}]}
        """.ReplaceLineEndings("");

    private static CountersReport Report(params PlaceCounters[] rows) => CountersReport.Take([new Fixed(rows)]);

    private static CountersReport Good => Report(
        new("tracing", "events", 3000, Aggregated: 2990, Held: 10), new("spans", "spans", 1000, Emitted: 990, Filtered: 10),
        new("printer", "spans", 990, Emitted: 980, Lost: 10));

    [Fact]
    public void TableIsAligned()
    {
        Assert.True(Good.Balanced);
        Assert.Equal(
            """
            place    unit    produced  emitted  aggregated  filtered  lost  held
            tracing  events      3000        0        2990         0     0    10
            spans    spans       1000      990           0        10     0     0
            printer  spans        990      980           0         0    10     0

            """, Good.ToText());
    }

    [Fact]
    public void EmptyColumnsAreLeftOut() => Assert.Equal(
        """
        place    unit   produced  emitted  lost
        printer  spans         5        5     0

        """, Report(new PlaceCounters("printer", "spans", 5, Emitted: 5)).ToText());

    [Fact]
    public void WrongSumIsMarked()
    {
        var report = Report(new PlaceCounters("printer", "spans", 5, Emitted: 3, Lost: 1));
        Assert.False(report.Balanced);
        Assert.Contains("1  <-- DOES NOT ADD UP: produced 5, accounted for 4\n", report.ToText(), StringComparison.Ordinal);
    }

    [Fact]
    public void JsonLineReadsBack()
    {
        var line = Good.ToJsonLine(Samples.BootTime / 1000);
        Assert.Equal(Line + "\n", Encoding.UTF8.GetString(line));
        var counters = Assert.IsType<AgentCounters>(new StreamLineParser().Parse(line).Value);
        Assert.Equal(10, counters.Lost);
        Assert.Equal(["tracing", "spans", "printer"], counters.Places.Select(place => place.Place));
        Assert.All(counters.Places, place => Assert.True(place.Balanced));
        Assert.Equal((3000, 2990, 10), (counters.Places[0].Produced, counters.Places[0].Aggregated, counters.Places[0].Held));
    }

    private sealed class Fixed(PlaceCounters[] rows) : ICounted
    {
        public IEnumerable<PlaceCounters> Count() => rows;
    }
}
