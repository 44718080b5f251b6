using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Beyla.Benchmarks;

/// <summary>
/// What each eBPF program costs per run, as the kernel counts it (kernel.bpf_stats_enabled), while nginx is traced under load.
/// </summary>
internal static class ProgramSuite
{
    private const string Switch = "/proc/sys/kernel/bpf_stats_enabled";

    public static string Run(BenchmarkOptions options)
    {
        using var nginx = new Nginx();
        var before = File.ReadAllText(Switch);
        var others = Programs().Select(program => program.GetProperty("id").GetInt32()).ToHashSet();
        File.WriteAllText(Switch, "1");
        try
        {
            var (agent, _) = Agent.Trace(nginx.Port);
            using (agent)
            {
                using var wrk = Process.Start(
                    new ProcessStartInfo("wrk", ["-t1", "-c16", $"-d{options.Seconds}s", nginx.Url]) { RedirectStandardOutput = true })!;
                _ = wrk.StandardOutput.ReadToEnd();
                wrk.WaitForExit();
                return Table(others);
            }
        }
        finally
        {
            File.WriteAllText(Switch, before);
        }
    }

    private static List<JsonElement> Programs()
    {
        using var bpftool = Process.Start(new ProcessStartInfo("bpftool", ["-j", "prog", "show"]) { RedirectStandardOutput = true })!;
        using var programs = JsonDocument.Parse(bpftool.StandardOutput.ReadToEnd());
        return [.. programs.RootElement.EnumerateArray().Select(program => program.Clone())];
    }

    private static string Table(HashSet<int> others)
    {
        var text = new StringBuilder()
            .AppendLine("## Programs")
            .AppendLine()
            .Append("Time per run while nginx is traced under the load of wrk. ")
            .AppendLine("The kernel counts it, and counting itself adds some nanoseconds.")
            .AppendLine()
            .AppendLine("| program | runs | ns per run |")
            .AppendLine("|---|---|---|");
        foreach (var program in Programs())
        {
            if (!others.Contains(program.GetProperty("id").GetInt32())
                && program.TryGetProperty("run_cnt", out var count) && count.GetInt64() > 0)
            {
                text.AppendLine(CultureInfo.InvariantCulture,
                    $"| {program.GetProperty("name").GetString()} | {count.GetInt64():N0} | "
                        + $"{(double)program.GetProperty("run_time_ns").GetInt64() / count.GetInt64():F0} |");
            }
        }

        return text.ToString();
    }
}
