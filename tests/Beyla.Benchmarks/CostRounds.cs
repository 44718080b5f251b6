using System.Globalization;
using System.Text;

namespace Beyla.Benchmarks;

/// <summary>
/// CPU time per request on this machine at a fixed rate, of server, client and agent, without and with the agent over each source it has
/// here.
/// </summary>
internal static class CostRounds
{
    public const int PerSecond = 20_000;

    /// <summary>The part of the rate below which a step did not hold it.</summary>
    private const double Held = 0.995;

    private static readonly (string Name, string Source, bool Traced)[] Steps =
    [
        ("no agent", "", false),
        ("untraced, tracepoints", "tracepoints", false), ("traced, tracepoints", "tracepoints", true),
        ("untraced, syscalls", "syscalls", false), ("traced, syscalls", "syscalls", true),
    ];

    /// <summary>The rows of a table, medians with quartiles over paired rounds of alternating order.</summary>
    public static void Table(StringBuilder text, BenchmarkOptions options)
    {
        var client = new CostClient();
        using var nginx = new Nginx();
        var other = Nginx.FreePort();
        var samples = Steps.Select(_ =>
            (Server: new Sample(), Client: new Sample(), Agent: new Sample(), Ratio: new Sample(), Rate: new Sample())).ToArray();
        _ = Measure(client, nginx, options.Seconds);
        for (var round = 0; round < options.Rounds; round++)
        {
            var costs = new (Cost Cost, double Rate)[Steps.Length];
            foreach (var i in round % 2 == 0 ? Enumerable.Range(0, Steps.Length) : Enumerable.Range(0, Steps.Length).Reverse())
            {
                using var agent = Steps[i].Source.Length == 0
                    ? null : Agent.Trace(Steps[i].Traced ? nginx.Port : other, Steps[i].Source).Process;
                costs[i] = Measure(client, nginx, options.Seconds, agent);
            }

            for (var i = 0; i < Steps.Length; i++)
            {
                samples[i].Server.Add(costs[i].Cost.Server);
                samples[i].Client.Add(costs[i].Cost.Client);
                samples[i].Agent.Add(costs[i].Cost.Agent);
                samples[i].Ratio.Add(costs[i].Cost.Server / costs[0].Cost.Server);
                samples[i].Rate.Add(costs[i].Rate);
            }
        }

        for (var i = 0; i < Steps.Length; i++)
        {
            var (server, clientCost, agent, ratio, rate) = samples[i];
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {Steps[i].Name} | {server.Show("F2")} | {ratio.Show("F3")} | {clientCost.Show("F2")} | {agent.Show("F2")} | "
                    + $"{rate.Median:F0}{(rate.Median < Held * PerSecond ? ", not held" : "")} |");
        }
    }

    private static (Cost Cost, double Rate) Measure(CostClient client, Nginx nginx, int seconds, ChildProcess? agent = null) =>
        client.Measure(nginx.Port, PerSecond, seconds, nginx.Worker, agent);
}
