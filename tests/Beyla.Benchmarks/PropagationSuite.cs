using System.Globalization;
using System.Text;
using Beyla.Tests.Common;

namespace Beyla.Benchmarks;

/// <summary>
/// What context propagation costs a service that calls another one, against the same agent without it: CPU time per request. What is in
/// no control group of a traced process must pay nothing.
/// </summary>
internal static class PropagationSuite
{
    private const string Kernel = "6.12";

    private static readonly string[] Ways = ["disabled", "tcp", "headers", "all"];

    /// <summary>How requests are passed on, how many a second, and which ways are measured where the service is traced or is not.</summary>
    private static readonly (string Name, bool Keeps, int PerSecond, bool Traced, string[] Ways)[] Cases =
    [
        ("untraced, `kept`", true, 6000, false, ["disabled", "all"]),
        ("untraced, `each`", false, 3000, false, ["disabled", "all"]),
        ("traced, `kept`", true, 6000, true, Ways),
        ("traced, `each`", false, 3000, true, Ways),
    ];

    public static string Run(BenchmarkOptions options)
    {
        using TestCgroup group = TestCgroup.Create(), other = TestCgroup.Create();
        using Nginx nginx = new(prefix: group.Prefix), traced = new(prefix: other.Prefix);
        var client = new CostClient();
        var steps = Cases.SelectMany(one => one.Ways.Select(way => new Step(one, way))).ToArray();
        _ = steps[0].Measure(client, nginx, traced, options.Seconds);
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var step in round % 2 == 0 ? steps : steps.Reverse())
            {
                step.Last = step.Measure(client, nginx, traced, options.Seconds);
            }

            foreach (var step in steps)
            {
                step.Add(steps.First(first => first.Case == step.Case).Last.Cost);
            }
        }

        var text = new StringBuilder()
            .AppendLine("## Propagation")
            .AppendLine()
            .AppendLine("nginx, one process, passes each request on to itself: two requests that are served, and one call, over")
            .AppendLine("connections that are kept (`kept`) or over one for each request (`each`). The ratio is to the same agent without")
            .AppendLine("propagation.")
            .AppendLine("Where nginx is not traced, the agent traces another process, in another control group.")
            .AppendLine();
        Count(text);
        text.AppendLine()
            .AppendLine("On this machine, CPU time of the worker per request in µs, open loop on 16 connections. Other work on it makes")
            .AppendLine("the rounds differ by more than most of these ratios: the counts above repeat within 0.3 %.")
            .AppendLine(CultureInfo.InvariantCulture,
                $"{options.Seconds} s per step, {options.Rounds} paired rounds in alternating order. Median (quartiles).")
            .AppendLine()
            .AppendLine("| | propagation | worker | ratio, paired | agent | requests/s |")
            .AppendLine("|---|---|---|---|---|---|");
        foreach (var step in steps)
        {
            step.Show(text);
        }

        return text.ToString();
    }

    /// <summary>Instructions in a guest, which do not depend on what else the machine does.</summary>
    private static void Count(StringBuilder text)
    {
        var figures = CostFigures.Measure("out/propagation-cost.tsv", "guest-propagation-cost", $"{Kernel}-cloud-amd64");
        text.AppendLine(CultureInfo.InvariantCulture, $"Instructions per request in a guest ({figures.Conditions}),")
            .AppendLine("one request after the other, lowest of three rounds:")
            .AppendLine()
            .AppendLine("| | propagation | nginx | ratio | agent |")
            .AppendLine("|---|---|---|---|---|");
        foreach (var (state, ways) in ((string, string[])[])[("untraced", ["disabled", "all"]), ("traced", Ways)])
        {
            foreach (var shape in (string[])["kept", "each"])
            {
                foreach (var way in ways)
                {
                    var (cost, off) = (figures[Kernel, way, shape, state], figures[Kernel, "disabled", shape, state]);
                    text.AppendLine(CultureInfo.InvariantCulture,
                        $"| {state}, `{shape}` | {way} | {cost.Server:N0} | ×{cost.Server / off.Server:F3} | {cost.Agent:N0} |");
                }
            }
        }
    }

    private sealed class Step((string Name, bool Keeps, int PerSecond, bool Traced, string[] Ways) one, string way)
    {
        private readonly Sample worker = new(), agent = new(), ratio = new(), rate = new();

        public string Case => one.Name;

        public (Cost Cost, double Rate) Last { get; set; }

        public (Cost Cost, double Rate) Measure(CostClient client, Nginx nginx, Nginx traced, int seconds)
        {
            var port = one.Keeps ? nginx.KeepingPort : nginx.ConnectingPort;
            var ports = one.Traced ? FormattableString.Invariant($"{nginx.Port},{port}") : FormattableString.Invariant($"{traced.Port}");
            using var running = Agent.Propagate(ports, way);
            // nginx gives up what it has kept from the step before: what was connected then is not looked at now.
            Thread.Sleep(500);
            return client.Measure(port, one.PerSecond, seconds, nginx.Worker, running);
        }

        public void Add(Cost off)
        {
            worker.Add(Last.Cost.Server);
            agent.Add(Last.Cost.Agent);
            ratio.Add(Last.Cost.Server / off.Server);
            rate.Add(Last.Rate);
        }

        public void Show(StringBuilder text) => text.AppendLine(CultureInfo.InvariantCulture,
            $"| {one.Name} | {way} | {worker.Show("F1")} | {ratio.Show("F3")} | {agent.Show("F2")} | {rate.Median:F0} |");
    }
}
