using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Beyla.Benchmarks;

/// <summary>
/// What watching flows costs: the sender's time per small packet, bulk throughput, and the agent itself idle and with many flows.
/// </summary>
internal static class FlowSuite
{
    private const int TurnsPerRound = 3;

    private static readonly (string Name, Dictionary<string, string> Settings)[] Ways =
    [
        ("socket filter", new() { ["BEYLA_NETWORK_SOURCE"] = "socket_filter" }),
        ("tc", new() { ["BEYLA_NETWORK_SOURCE"] = "tc", ["BEYLA_BPF_TC_BACKEND"] = "tc" }),
        ("tcx", new() { ["BEYLA_NETWORK_SOURCE"] = "tc", ["BEYLA_BPF_TC_BACKEND"] = "tcx" }),
    ];

    public static string Run(BenchmarkOptions options)
    {
        // Each round has three turns, so half as many, half as long.
        var rounds = Math.Max(3, options.Rounds / 2);
        var seconds = Math.Max(1, options.Seconds / 2);
        using var veth = new VethPair();
        var text = new StringBuilder()
            .AppendLine("## Flows")
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture,
                $"Over a veth pair into another network namespace. The agent runs on the near end and prints flows to /dev/null; "
                    + $"{rounds} paired rounds, each with three turns with the agent and three without. Median (quartiles).")
            .AppendLine("Packets: UDP, 64 bytes on the wire, one flow; the sender's time for sendto(2), the lowest of the three turns.")
            .AppendLine(
                "Bulk: iperf3, one TCP connection, the highest of the three turns. With processes: the agent has CAP_PERFMON, so each "
                    + "flow names its process, and a program runs at each send for that.")
            .AppendLine()
            .AppendLine("| attach point | ns per packet, no agent | added ns per packet | bulk ratio | budget |")
            .AppendLine("|---|---|---|---|---|");
        using var server = veth.StartFar("iperf3", "--server", "--forceflush");
        Thread.Sleep(500);
        foreach (var (way, settings, alone) in Ways.SelectMany(
            way => ((bool[])[true, false]).Select(alone => (way.Name, way.Settings, alone))))
        {
            var name = way + (alone ? "" : ", with processes");
            Sample bare = new(), added = new(), bulk = new();
            _ = Packets();
            for (var round = 0; round < rounds; round++)
            {
                double without = double.MaxValue, with = double.MaxValue, slow = 0, fast = 0;
                for (var turn = 0; turn < 2 * TurnsPerRound; turn++)
                {
                    // One after the other, the next round the other way round. What else the machine does slows some of them, hardly the
                    // best.
                    using var agent = (turn + round) % 2 == 0 ? null : Agent.WatchFlows(veth.Near, settings, alone);
                    ref var lowest = ref agent is null ? ref without : ref with;
                    lowest = Math.Min(lowest, Packets());
                    ref var highest = ref agent is null ? ref fast : ref slow;
                    highest = Math.Max(highest, Bulk(seconds));
                }

                bare.Add(without);
                added.Add(with - without);
                bulk.Add(slow / fast);
                Console.Error.WriteLine(
                    FormattableString.Invariant($"{name} {round,3}: {without,5:F0} {with - without,5:F0} {slow / fast:F3}"));
            }

            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {name} | {bare.Show("F0")} | {added.Show("F0")} | {bulk.Show("F3")} | "
                    + $"≤ {(way == "tcx" ? 250 : 400)} ns, ratio ≥ 0.95 |");
        }

        return text.AppendLine().Append(Agents(veth)).ToString();
    }

    /// <summary>CPU of an idle agent, and memory with 100,000 flows.</summary>
    private static string Agents(VethPair veth)
    {
        using var agent = Agent.WatchFlows(veth.Near, new() { ["BEYLA_NETWORK_CACHE_MAX_FLOWS"] = "200000" });
        Thread.Sleep(1000);
        var before = agent.CpuSeconds();
        Thread.Sleep(5000);
        var idle = (agent.CpuSeconds() - before) / 5 * 100;
        var payload = new byte[22];
        // Two source ports to 50,000 destination ports each.
        for (var i = 0; i < 2; i++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            for (var port = 1; port <= 50_000; port++)
            {
                _ = socket.SendTo(payload, new IPEndPoint(IPAddress.Parse(VethPair.Nobody), port));
            }
        }

        long most = 0;
        for (var i = 0; i < 80; i++)
        {
            most = Math.Max(most, agent.MemoryKib("Pss"));
            Thread.Sleep(100);
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"Idle agent: {idle:F2} % of one CPU over 5 s (budget: not measurable). Resident memory with 100,000 flows at a "
            + $"time: {most / 1024.0:F1} MiB at most (budget: 30 MB).\n");
    }

    /// <summary>Nanoseconds per sendto: the second percentile of batches, which no interrupt or other process has touched.</summary>
    private static double Packets()
    {
        const int batches = 400, size = 500;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(IPAddress.Parse(VethPair.Nobody), 9);
        var payload = new byte[22];
        var times = new Sample();
        for (var batch = 0; batch < batches; batch++)
        {
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < size; i++)
            {
                _ = socket.Send(payload);
            }

            times.Add(Stopwatch.GetElapsedTime(started).TotalNanoseconds / size);
        }

        return times.At(0.02);
    }

    private static double Bulk(int seconds)
    {
        string[] arguments = ["--client", VethPair.Far, "--time", seconds.ToString(CultureInfo.InvariantCulture), "--json"];
        var start = new ProcessStartInfo("iperf3", arguments) { RedirectStandardOutput = true };
        using var iperf = Process.Start(start) ?? throw new InvalidOperationException("cannot start iperf3");
        using var result = JsonDocument.Parse(iperf.StandardOutput.ReadToEnd());
        iperf.WaitForExit();
        return result.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble();
    }
}
