using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Beyla.Benchmarks;

/// <summary>
/// Latency at a fixed rate, counted from the time at which each request was due: a stall is not hidden by the requests that it delays.
/// </summary>
internal static class LatencySuite
{
    private const int Connections = 8, PerSecond = 2000;

    public static string Run(BenchmarkOptions options)
    {
        using var nginx = new Nginx();
        Sample none50 = new(), none99 = new(), traced50 = new(), traced99 = new();
        _ = Measure(nginx, options.Seconds);
        for (var round = 0; round < options.Rounds; round++)
        {
            var steps = new Action[]
            {
                () => Add(Measure(nginx, options.Seconds), none50, none99),
                () =>
                {
                    var (agent, _) = Agent.Trace(nginx.Port);
                    using (agent)
                    {
                        Add(Measure(nginx, options.Seconds), traced50, traced99);
                    }
                },
            };
            foreach (var step in round % 2 == 0 ? steps : steps.Reverse())
            {
                step();
            }
        }

        return new StringBuilder()
            .AppendLine("## Latency")
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture,
                $"The same server at {PerSecond} requests/s (open loop, {Connections} connections), {options.Seconds} s per step, "
                    + $"{options.Rounds} paired rounds. Microseconds, median (quartiles) of the rounds.")
            .AppendLine()
            .AppendLine("| | p50 | p99 |")
            .AppendLine("|---|---|---|")
            .AppendLine(CultureInfo.InvariantCulture, $"| no agent | {none50.Show("F0")} | {none99.Show("F0")} |")
            .AppendLine(CultureInfo.InvariantCulture, $"| agent, this port traced | {traced50.Show("F0")} | {traced99.Show("F0")} |")
            .ToString();
    }

    private static void Add(List<double> latencies, Sample p50, Sample p99)
    {
        latencies.Sort();
        p50.Add(latencies[latencies.Count / 2]);
        p99.Add(latencies[latencies.Count * 99 / 100]);
    }

    private static List<double> Measure(Nginx nginx, int seconds)
    {
        var all = new List<double>();
        var request = Encoding.ASCII.GetBytes($"GET /small HTTP/1.1\r\nHost: 127.0.0.1:{nginx.Port}\r\n\r\n");
        var threads = Enumerable.Range(0, Connections).Select(index => new Thread(() =>
        {
            using var client = new TcpClient("127.0.0.1", nginx.Port) { NoDelay = true };
            var stream = client.GetStream();
            var buffer = new byte[16384];
            var mine = new List<double>();
            var interval = (double)Stopwatch.Frequency * Connections / PerSecond;
            var begin = Stopwatch.GetTimestamp() + (long)(interval * index / Connections);
            for (var i = 0; i < PerSecond * seconds / Connections; i++)
            {
                var due = begin + (long)(i * interval);
                var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                if (wait > TimeSpan.Zero)
                {
                    // A sleep ends some time before or after: then the request is due when it is sent. Only a late answer makes the next
                    // one late.
                    Thread.Sleep(wait);
                    due = Stopwatch.GetTimestamp();
                }

                stream.Write(request);
                var read = 0;
                // Head and 800 bytes; the answer ends with the file's last byte.
                while (read == 0 || !buffer.AsSpan(0, read).EndsWith("xxxx"u8) || read < 900)
                {
                    var n = stream.Read(buffer, read, buffer.Length - read);
                    if (n == 0)
                    {
                        throw new InvalidOperationException("nginx closed a connection");
                    }

                    read += n;
                }

                mine.Add(Stopwatch.GetElapsedTime(due).TotalMicroseconds);
            }

            lock (all)
            {
                all.AddRange(mine);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return all;
    }
}
