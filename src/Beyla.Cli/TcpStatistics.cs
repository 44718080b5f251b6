using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Statistics;

namespace Beyla.Cli;

/// <summary>TCP statistics put together: their two halves, their printer, their capabilities.</summary>
internal static class TcpStatistics
{
    /// <summary>Begins to read.</summary>
    /// <param name="keeper">Has loaded the programs.</param>
    /// <param name="sink">Takes the records.</param>
    /// <returns>Null where nothing was loaded, which the keeper has said.</returns>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static StatisticReader? Start(KeeperConnection keeper, ITcpStatisticSink sink)
    {
        if (KeeperStatistics.Open(keeper) is not { } kernel)
        {
            return null;
        }

        var reader = new StatisticReader(kernel, sink);
        try
        {
            reader.WatchRing();
            reader.Start();
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Loads the programs and attaches them. The keeper's part.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static TcpStatisticPrograms Load()
    {
        using var raised = Privilege.Raise(Permissions.Tracing);
        return TcpStatisticPrograms.Open();
    }

    /// <summary>Who gets the records: the printer, and what makes metrics of them.</summary>
    /// <param name="configuration">Whether they are printed. Lines between objects would spoil the stream.</param>
    /// <param name="output">Where they are printed.</param>
    /// <param name="counted">Makes metrics; null where none are wanted.</param>
    public static ITcpStatisticSink SinkOf(AgentConfiguration configuration, OutputQueue output, ITcpStatisticSink? counted)
    {
        List<ITcpStatisticSink> sinks = counted is null ? [] : [counted];
        if (configuration.Statistics.Print)
        {
            if (configuration.TracePrinter is TracePrinterKind.Json or TracePrinterKind.JsonIndent)
            {
                Log.Warn(
                    "TCP statistics are not printed",
                    ("error", "stats.print_stats is text alone, and trace_printer makes a stream of JSON"));
            }
            else
            {
                sinks.Add(new StatisticPrinter(output));
            }
        }

        return new StatisticSinks([.. sinks]);
    }
}
