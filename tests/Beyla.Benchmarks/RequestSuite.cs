using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Beyla.Benchmarks;

/// <summary>
/// Throughput of nginx (one worker) under wrk -t1 -c16: no agent, an agent that traces another port, an agent that traces this one.
/// </summary>
internal static partial class RequestSuite
{
    public static string Run(BenchmarkOptions options)
    {
        using var nginx = new Nginx();
        var other = Nginx.FreePort();
        Sample none = new(), untraced = new(), traced = new(), untracedRatio = new(), tracedRatio = new(), cpu = new(), idle = new();
        _ = Load(nginx.Url, options.Seconds);
        for (var round = 0; round < options.Rounds; round++)
        {
            // The order alternates, so that a drift of the machine's speed falls on all alike.
            double baseline = 0, beside = 0, seen = 0;
            var steps = new Action[]
            {
                () => baseline = Load(nginx.Url, options.Seconds).PerSecond,
                () => beside = WithAgent(other, nginx, options.Seconds, idle),
                () => seen = WithAgent(nginx.Port, nginx, options.Seconds, cpu),
            };
            foreach (var step in round % 2 == 0 ? steps : steps.Reverse())
            {
                step();
            }

            none.Add(baseline);
            untraced.Add(beside);
            traced.Add(seen);
            untracedRatio.Add(beside / baseline);
            tracedRatio.Add(seen / baseline);
            Console.Error.WriteLine(FormattableString.Invariant(
                $"{round,3}: {baseline,7:F0} {beside,7:F0} {seen,7:F0}  {beside / baseline:F3} {seen / baseline:F3}"));
        }

        return new StringBuilder()
            .AppendLine("## Requests")
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture,
                $"nginx, one worker, a file of 800 bytes by sendfile; wrk -t1 -c16, {options.Seconds} s per step, {options.Rounds} "
                    + $"paired rounds in alternating")
            .AppendLine(
                "order. The agent prints every request as text to /dev/null. Both share the machine's CPUs with the load generator. "
                    + "Median (quartiles).")
            .AppendLine()
            .AppendLine("| | requests/s | ratio to no agent, paired | agent CPU per request, µs | budget |")
            .AppendLine("|---|---|---|---|---|")
            .AppendLine(CultureInfo.InvariantCulture, $"| no agent | {none.Show("F0")} | 1 | | |")
            .AppendLine(CultureInfo.InvariantCulture,
                $"| agent, another port traced | {untraced.Show("F0")} | {untracedRatio.Show("F3")} | {idle.Show("F3")} | ratio ≥ 0.98 |")
            .AppendLine(CultureInfo.InvariantCulture,
                $"| agent, this port traced | {traced.Show("F0")} | {tracedRatio.Show("F3")} | {cpu.Show("F2")} | "
                    + $"ratio ≥ 0.93, CPU ≤ 3 µs |")
            .ToString();
    }

    private static double WithAgent(int port, Nginx nginx, int seconds, Sample cpuPerRequest)
    {
        var (agent, _) = Agent.Trace(port);
        using (agent)
        {
            var before = agent.CpuSeconds();
            var (requests, perSecond) = Load(nginx.Url, seconds);
            cpuPerRequest.Add((agent.CpuSeconds() - before) / requests * 1e6);
            return perSecond;
        }
    }

    private static (double Requests, double PerSecond) Load(string url, int seconds)
    {
        var start = new ProcessStartInfo("wrk", ["-t1", "-c16", $"-d{seconds}s", url]) { RedirectStandardOutput = true };
        using var wrk = Process.Start(start) ?? throw new InvalidOperationException("cannot start wrk");
        var output = wrk.StandardOutput.ReadToEnd();
        wrk.WaitForExit();
        var requests = Requests().Match(output);
        var rate = Rate().Match(output);
        if (!requests.Success || !rate.Success || output.Contains("Non-2xx", StringComparison.Ordinal)
            || output.Contains("Socket errors", StringComparison.Ordinal))
        {
            throw new InvalidOperationException("wrk did not measure what it should:\n" + output);
        }

        return (double.Parse(requests.Groups[1].Value, CultureInfo.InvariantCulture),
            double.Parse(rate.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex Requests();

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex Rate();
}
