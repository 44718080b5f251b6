namespace Beyla.Agent.Statistics;

/// <summary>Several sinks as one.</summary>
/// <param name="sinks">Each gets every record, in this order.</param>
public sealed class StatisticSinks(params ITcpStatisticSink[] sinks) : ITcpStatisticSink
{
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
