namespace Beyla.Agent.Statistics;

/// <summary>Hands each record to several sinks, in their order.</summary>
public sealed class StatisticSinks(params ReadOnlySpan<ITcpStatisticSink> sinks) : ITcpStatisticSink
{
    private readonly ITcpStatisticSink[] sinks = sinks.ToArray();

    /// <inheritdoc/>
    public void OnStatistic(in TcpStatistic statistic)
    {
        foreach (var sink in sinks)
        {
            sink.OnStatistic(in statistic);
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
        foreach (var sink in sinks)
        {
            sink.Flush();
        }
    }
}
