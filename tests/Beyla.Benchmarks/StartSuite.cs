using System.Globalization;
using System.Text;

namespace Beyla.Benchmarks;

/// <summary>From the start of the agent to the moment at which everything is attached.</summary>
internal static class StartSuite
{
    public static string Run(BenchmarkOptions options)
    {
        using var nginx = new Nginx();
        var sample = new Sample();
        for (var i = 0; i < Math.Max(options.Rounds, 11); i++)
        {
            var (agent, start) = Agent.Trace(nginx.Port);
            agent.Dispose();
            sample.Add(start.TotalMilliseconds);
        }

        return new StringBuilder()
            .AppendLine("## Start")
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"From exec to the log line that says that all programs are attached: {sample.Show("F0")} ms, {sample.Count} starts (budget: 250 ms).")
            .ToString();
    }
}
