using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Selection;
using Beyla.Agent.Statistics;
using Beyla.Agent.Tests.Configuration;

namespace Beyla.Agent.Tests.Statistics;

/// <summary>TCP statistics against <c>filter.stats</c>: attributes and words are those of the metrics of Grafana Beyla.</summary>
public sealed class FilteredStatisticsTests
{
    [Theory]
    // Of 10.1.0.1:40000, which asked fd00::2:443 and was refused.
    [InlineData("src.address: {match: '10.1.*'}", true)]
    [InlineData("dst_address: {match: 'fd00::2'}", true)]
    [InlineData("dst.address: {not_match: 'fd00::*'}", false)]
    [InlineData("src.port: {equals: 40000}", true)]
    [InlineData("dst.port: {match: '443'}", true)]
    [InlineData("dst_port: {less_than: 443}", false)]
    [InlineData("server.port: {equals: 443}", true)]
    [InlineData("client.port: {equals: 443}", false)]
    [InlineData("src.cidr: {match: lan}", true)]
    // The narrowest one counts, and what is in none is the empty text.
    [InlineData("src.cidr: {match: wide}", false)]
    [InlineData("dst.cidr: {match: '?*'}", false)]
    [InlineData("dst.cidr: {not_match: lan}", true)]
    [InlineData("reason: {match: refused}", true)]
    [InlineData("reason: {not_match: '{refused,reset}'}", false)]
    [InlineData("network.tcp.handshake.role: {match: client}", true)]
    [InlineData("network_tcp_handshake_role: {match: server}", false)]
    [InlineData("dst.port: {equals: 443}, reason: {match: reset}", false)]
    [InlineData("dst.port: {equals: 443}, reason: {match: 'ref*'}", true)]
    public void Of_a_connection_that_was_refused(string filter, bool passes)
    {
        var sink = new Records();
        var statistics = new FilteredStatistics(sink, Configuration(filter));
        statistics.OnStatistic(Connections.Failed(111));
        Assert.Equal(passes ? 1 : 0, sink.Count);
    }

    [Fact]
    public void What_passes_goes_on_and_the_rest_is_counted()
    {
        var sink = new Records();
        // What is no failure has no reason, and who asked is not known of a connection that is older than the agent.
        var statistics = new FilteredStatistics(sink, Configuration("reason: {not_match: '?*'}, server.port: {equals: 443}"));
        statistics.OnStatistic(Connections.Client(TcpStatisticKind.Established));
        statistics.OnStatistic(Connections.Server(TcpStatisticKind.Open));
        statistics.OnStatistic(Connections.Failed(0));
        statistics.OnStatistic(Connections.Client(TcpStatisticKind.Closed) with { Role = TcpRole.Unknown });
        statistics.OnStatistic(Connections.Server(TcpStatisticKind.Closed) with { LocalPort = 8443 });
        statistics.Flush();
        Assert.Equal((2, 1), (sink.Count, sink.Flushed));
        Assert.Equal(new PlaceCounters("filter.statistics", "records", 5, Emitted: 2, Filtered: 3), Assert.Single(statistics.Count()));
    }

    [Fact]
    public void Every_attribute_that_is_known_can_be_asked_for_and_none_allocates()
    {
        Assert.True(Glob.TryParse("[!~]*", out var any, out _));
        foreach (var attribute in FilterAttribute.OfStatistics)
        {
            var sink = new Records();
            var statistics = new FilteredStatistics(sink, Configuration("") with
            {
                Filter = [new AttributeCondition(attribute, new ValueCondition(any, false, []))],
            });
            var statistic = Connections.Failed(110);
            void Many(int round)
            {
                for (var i = 0; i < 100; i++)
                {
                    statistics.OnStatistic(in statistic);
                }
            }

            Many(0);
            Assert.Equal(attribute.Name == "dst.cidr" ? 0 : 100, sink.Count);
            Assert.Equal(0, Allocation.Least(Many));
        }
    }

    private static StatisticsConfiguration Configuration(string filter)
    {
        const string Networks = "stats: {cidrs: [{cidr: 10.0.0.0/8, name: wide}, {cidr: 10.1.0.0/16, name: lan}]}";
        var loaded = Loaded.From($"filter: {{stats: {{{filter}}}}}\n{Networks}\n");
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.Warnings);
        return loaded.Configuration.Statistics;
    }

    private sealed class Records : ITcpStatisticSink
    {
        public int Count { get; private set; }

        public int Flushed { get; private set; }

        public void OnStatistic(in TcpStatistic statistic) => Count++;

        public void Flush() => Flushed++;
    }
}
