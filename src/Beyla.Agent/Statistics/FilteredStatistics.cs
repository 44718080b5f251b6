using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Flows;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Statistics;

/// <summary>
/// Before printers and metrics of TCP statistics: they get the records that meet the conditions of <c>filter.stats</c>, all of them. What
/// is not known is the empty text. Counts as place <c>filter.statistics</c>. One thread; does not allocate for values that repeat.
/// </summary>
public sealed class FilteredStatistics : ITcpStatisticSink, ICounted
{
    private readonly ITcpStatisticSink sink;
    private readonly (string Attribute, ValueTest Test)[] tests;
    private readonly NetworkTable networks;
    private readonly Utf8Room text = new();
    private readonly PassCounter counter = new();

    /// <param name="sink">Gets the records.</param>
    /// <param name="configuration">The conditions, and the blocks of addresses that have names.</param>
    public FilteredStatistics(ITcpStatisticSink sink, StatisticsConfiguration configuration)
    {
        this.sink = sink;
        networks = new NetworkTable(configuration.Cidrs);
        tests = [.. configuration.Filter.Select(static condition => (condition.Attribute.Name, new ValueTest(condition.Condition)))];
    }

    /// <inheritdoc/>
    public void OnStatistic(in TcpStatistic statistic)
    {
        if (counter.Note(Passes(in statistic)))
        {
            sink.OnStatistic(in statistic);
        }
    }

    /// <inheritdoc/>
    public void Flush() => sink.Flush();

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count() => [counter.Count("filter.statistics", "records")];

    private bool Passes(in TcpStatistic statistic)
    {
        foreach (var (attribute, test) in tests)
        {
            if (!Passes(attribute, test, in statistic))
            {
                return false;
            }
        }

        return true;
    }

    private bool Passes(string attribute, ValueTest test, in TcpStatistic statistic)
    {
        Span<byte> room = stackalloc byte[46];
        return attribute switch
        {
            "src.port" => test.Holds((long)statistic.LocalPort),
            "dst.port" => test.Holds((long)statistic.RemotePort),
            "server.port" => test.Holds((long?)StatisticNames.ServerPortOf(in statistic)),
            "client.port" => test.Holds((long?)StatisticNames.ClientPortOf(in statistic)),
            "src.address" => test.Holds(statistic.Local.Format(room)),
            "dst.address" => test.Holds(statistic.Remote.Format(room)),
            "src.cidr" => test.Holds(text.Encode(networks.Find(in statistic.Local) ?? "")),
            "dst.cidr" => test.Holds(text.Encode(networks.Find(in statistic.Remote) ?? "")),
            "reason" => test.Holds(StatisticNames.ReasonOf(in statistic)),
            "network.tcp.handshake.role" => test.Holds(StatisticNames.Of(statistic.Role)),
            _ => throw new InvalidOperationException($"{attribute} is no attribute of TCP statistics."),
        };
    }
}
