using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Beyla.Benchmarks;

/// <summary>From the start of the agent to the moment at which everything is attached, and from SIGINT to its end.</summary>
internal static class StartSuite
{
    public static string Run(BenchmarkOptions options)
    {
        using var nginx = new Nginx();
        Sample sample = new(), stop = new();
        for (var i = 0; i < Math.Max(options.Rounds, 11); i++)
        {
            var (agent, start) = Agent.Trace(nginx.Port);
            var asked = Stopwatch.GetTimestamp();
            agent.Dispose();
            stop.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            sample.Add(start.TotalMilliseconds);
        }

        return new StringBuilder()
            .AppendLine("## Start")
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture,
                $"Time from exec to the log line that says that all programs are attached: {sample.Show("F0")} ms, "
                    + $"{sample.Count} starts (budget: 250 ms).")
            .AppendLine(CultureInfo.InvariantCulture,
                $"Time from the signal to the end of the process: {stop.Show("F0")} ms (limit: 2,000 ms).")
            .ToString();
    }
}
