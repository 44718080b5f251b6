using System.Globalization;
using System.Text;

namespace Beyla.Benchmarks;

/// <summary>
/// What a request costs server, client and agent: instructions in the guests, beside the record and the peer, and CPU time here.
/// </summary>
internal static class CostSuite
{
    private static readonly string[] Shapes = ["after", "apart", "bursts"];
    private static readonly string[] Sources = ["fentry", "syscalls"];
    private static readonly string[] States = ["none", "untraced", "traced"];

    public static string Run(BenchmarkOptions options)
    {
        const string Place = "out/cost.tsv";
        var now = CostFigures.Measure(Place);
        var before = CostFigures.Recorded();
        var text = new StringBuilder()
            .AppendLine("## Cost")
            .AppendLine()
            .AppendLine("Instructions per request, counted in guests whose clock is the instruction count (qemu `-icount shift=1`:")
            .AppendLine("one guest µs is 500 instructions). Cache misses do not show in this count. The server is nginx: one process, a")
            .AppendLine("file of 800 bytes by sendfile with tcp_nopush (two sends per request). The client is tests/native/cost.c. The")
            .AppendLine("agent prints text to /dev/null.")
            .AppendLine()
            .AppendLine("- `after`: one connection, the next request when the response has come, so the server wakes up for each.")
            .AppendLine("- `apart`: one request every 20 ms, so the agent wakes up for each, and polls once more in between.")
            .AppendLine("- `bursts`: one request on each of 16 connections, then all responses are read.")
            .AppendLine()
            .AppendLine("Each figure is the lowest of three alternating rounds in one boot: what disturbs a round only adds.")
            .AppendLine(CultureInfo.InvariantCulture,
                $"In brackets: the figures in the record of {before?.Label ?? "none so far"}. {now.Conditions}.")
            .AppendLine()
            .AppendLine("| kernel, source, shape | state | server | ratio | client | agent | all together |")
            .AppendLine("|---|---|---|---|---|---|---|");
        foreach (var (kernel, source, shape, state) in Rows(now))
        {
            var (cost, none) = (now[kernel, source, shape, state], now[kernel, source, shape, "none"]);
            Cost? old = before?[kernel, source, shape, state];
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {kernel} {source} {shape} | {state} | {cost.Server:N0}{Was(old?.Server)} | ×{cost.Server / none.Server:F3} | "
                    + $"{cost.Client:N0}{Was(old?.Client)} | {cost.Agent:N0}{Was(old?.Agent)} | ×{cost.Sum / none.Sum:F3} |");
        }

        Budgets(text, now);
        Peer(text, now);
        text.AppendLine()
            .AppendLine(CultureInfo.InvariantCulture,
                $"On this machine, CPU time per request in µs at {CostRounds.PerSecond} requests/s (open loop, 16 connections), "
                    + $"{options.Seconds} s per step, {options.Rounds} paired rounds in alternating order.")
            .AppendLine("Median (quartiles). The ratio is paired.")
            .AppendLine("Where it says \"not held\", the machine was too busy for the rate, and the row is no measure.")
            .AppendLine()
            .AppendLine("| | server | ratio | client | agent | requests/s |")
            .AppendLine("|---|---|---|---|---|---|");
        CostRounds.Table(text, options);
        if (options.Record)
        {
            Record(Place, now);
        }

        return text.ToString();
    }

    private static IEnumerable<(string Kernel, string Source, string Shape, string State)> Rows(CostFigures figures) =>
        from kernel in figures.Kernels
        from source in Sources
        from shape in Shapes
        from state in States
        where state != "none" || source == Sources[0]
        select (kernel, source, shape, state);

    private static string Was(double? figure) => figure is null ? "" : string.Create(CultureInfo.InvariantCulture, $" ({figure:N0})");

    private static void Budgets(StringBuilder text, CostFigures now)
    {
        Cost none = now["6.12", "", "after", "none"];
        Cost untraced = now["6.12", "fentry", "after", "untraced"];
        Cost traced = now["6.12", "fentry", "after", "traced"];
        Cost apart = now["6.12", "fentry", "apart", "traced"];
        Cost burst = now["6.12", "fentry", "bursts", "traced"];
        Cost burstNone = now["6.12", "", "bursts", "none"];
        text.AppendLine()
            .AppendLine("| budget, 6.12, fentry | limit | measured | |")
            .AppendLine("|---|---|---|---|");
        Row("server, traced, `after`", traced.Server / none.Server, 1.06, "×", "F3");
        Row("server, untraced, `after`", untraced.Server / none.Server, 1.01, "×", "F3");
        Row("all together, traced, `bursts`", burst.Sum / burstNone.Sum, 1.12, "×", "F3");
        Row("agent, one request per wake-up (`apart`)", apart.Agent, 2500, "", "N0");
        Row("agent, `bursts`", burst.Agent, 1500, "", "N0");

        void Row(string name, double measured, double limit, string sign, string format) => text.AppendLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | ≤ {sign}{limit:#,0.##} | {sign}{measured.ToString(format, CultureInfo.InvariantCulture)} | "
                + $"{(measured <= limit ? "held" : "missed")} |"));
    }

    /// <summary>
    /// The peer, measured 2026-11-26 the same way: Grafana Beyla v3.31.0, guest 6.12, nginx, 2,000 keep-alive requests, text printer.
    /// </summary>
    private static void Peer(StringBuilder text, CostFigures now)
    {
        const double InstructionsPerMicrosecond = 500;
        (string State, Cost None, Cost Peer)[] peer =
        [
            ("traced", new(49.5, 49.8, 0), new(121.7, 93.6, 181)),
            ("untraced", new(49.5, 49.7, 0), new(88.3, 91.0, 2.1)),
        ];
        text.AppendLine()
            .AppendLine(
                "Comparison with the peer, Grafana Beyla v3.31.0, measured on 2026-11-26: the same guest kernel 6.12 and nginx, 2,000 "
                    + "keep-alive requests one after the other, text printer.")
            .AppendLine(
                "Its nginx and its client were set up differently (24,750 and 24,900 instructions without an agent), so compare the "
                    + "added instructions rather than the ratios.")
            .AppendLine()
            .AppendLine("| 6.12, `after` | adds to server, ours / peer | ratio of server | adds to client | agent | all together |")
            .AppendLine("|---|---|---|---|---|---|");
        foreach (var (state, theirNone, their) in peer)
        {
            Cost none = now["6.12", "", "after", "none"], ours = now["6.12", "fentry", "after", state];
            double Theirs(Func<Cost, double> part) => (part(their) - part(theirNone)) * InstructionsPerMicrosecond;
            text.AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {state} | {ours.Server - none.Server:N0} / {Theirs(cost => cost.Server):N0} "
                    + $"| ×{ours.Server / none.Server:F2} / ×{their.Server / theirNone.Server:F2} "
                    + $"| {ours.Client - none.Client:N0} / {Theirs(cost => cost.Client):N0} "
                    + $"| {ours.Agent:N0} / {Theirs(cost => cost.Agent):N0} "
                    + $"| ×{ours.Sum / none.Sum:F2} / ×{their.Sum / theirNone.Sum:F2} |"));
        }
    }

    private static void Record(string place, CostFigures now)
    {
        File.Copy(place, CostFigures.RecordPlace, overwrite: true);
        const string Heading = "## History of cost\n\n"
            + "One row per record (`bench cost --record`): instructions per request in the 6.12 guest over fentry. "
            + "Rows are only ever added. CI compares with tests/vm/cost.tsv.\n"
            + "The first row has medians of the rounds, the others the lowest.\n\n"
            + "| recorded | nginx alone, `after` | + traced `after` / `apart` / `bursts` | + untraced `after` "
            + "| agent `after` / `apart` / `bursts` | all together, `bursts` |\n"
            + "|---|---|---|---|---|---|";
        double Added(string shape, string state) => now["6.12", "fentry", shape, state].Server - now["6.12", "", shape, "none"].Server;
        double Of(string shape) => now["6.12", "fentry", shape, "traced"].Agent;
        BenchmarkDocument.Append("cost-history", Heading, string.Create(
            CultureInfo.InvariantCulture,
            $"| {now.Label} | {now["6.12", "", "after", "none"].Server:N0} "
                + $"| {Added("after", "traced"):N0} / {Added("apart", "traced"):N0} / {Added("bursts", "traced"):N0} "
                + $"| {Added("after", "untraced"):N0} | {Of("after"):N0} / {Of("apart"):N0} / {Of("bursts"):N0} "
                + $"| ×{now["6.12", "fentry", "bursts", "traced"].Sum / now["6.12", "", "bursts", "none"].Sum:F3} |"));
    }
}
