using Beyla.Agent.Statistics;

namespace Beyla.Agent.Export;

/// <summary>Puts a line for each record into the output. The output counts (place <c>printer</c>).</summary>
public sealed class StatisticPrinter(OutputQueue output) : ITcpStatisticSink
{
    private readonly byte[] buffer = new byte[StatisticText.MaximumLine];

    /// <inheritdoc/>
    public void OnStatistic(in TcpStatistic statistic)
    {
        var line = new LineWriter(buffer);
        StatisticText.Write(in statistic, ref line);
        _ = output.Append(line.Written, OutputRecord.Statistic);
    }

    /// <inheritdoc/>
    public void Flush() => output.Flush();
}
