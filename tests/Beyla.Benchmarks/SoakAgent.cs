using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Beyla.Benchmarks;

/// <summary>The agent of <see cref="SoakSuite"/>, whose stream is read and whose two processes are looked at.</summary>
internal sealed partial class SoakAgent : IDisposable
{
    private readonly ChildProcess process;
    private readonly Task reading;
    private readonly List<string> log = [];
    private long spans, flows, flowPackets;
    private bool isStopped;

    /// <param name="port">The port of the service that is traced.</param>
    /// <param name="networkInterface">Whose flows are reported.</param>
    public SoakAgent(int port, string networkInterface)
    {
        (process, var output) = Agent.Read(
            new()
            {
                ["BEYLA_OPEN_PORT"] = port.ToString(CultureInfo.InvariantCulture),
                ["BEYLA_TRACE_PRINTER"] = "json",
                ["BEYLA_NETWORK_METRICS"] = "true",
                ["BEYLA_NETWORK_PRINT_FLOWS"] = "true",
                ["BEYLA_NETWORK_INTERFACES"] = networkInterface,
            },
            log);
        reading = Task.Factory.StartNew(() => Read(output), TaskCreationOptions.LongRunning);
    }

    /// <summary>Lines of each type that were read, and the packets of the flows.</summary>
    public long Spans => Interlocked.Read(ref spans);

    public long Flows => Interlocked.Read(ref flows);

    public long FlowPackets => Interlocked.Read(ref flowPackets);

    /// <summary>What both processes have now, as a row of the table.</summary>
    public string Row(int minute, long requests)
    {
        int[] both = [process.Id, process.Worker!.Value];
        var (objects, kernel) = (0, 0L);
        foreach (var file in both.SelectMany(static pid => Directory.GetFiles($"/proc/{pid}/fdinfo")))
        {
            var text = File.ReadAllText(file);
            objects += text.Contains("prog_id:", StringComparison.Ordinal) || text.Contains("map_id:", StringComparison.Ordinal) ? 1 : 0;
            kernel += text.Contains("map_id:", StringComparison.Ordinal)
                ? long.Parse(Locked().Match(text).Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 0;
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {minute} | {requests:N0} | {process.MemoryKib("Pss") / 1024.0:F1} | {process.MemoryKib("Pss_Anon") / 1024.0:F1} | "
                + $"{both.Sum(static pid => Directory.GetFiles($"/proc/{pid}/fd").Length)} | "
                + $"{both.Sum(static pid => Directory.GetDirectories($"/proc/{pid}/task").Length)} | {objects} | {kernel / 1024:N0} |");
    }

    /// <summary>How many entries the agent's hash maps have now, by name.</summary>
    public string Entries()
    {
        var entries = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles($"/proc/{process.Id}/fdinfo"))
        {
            var id = Map().Match(File.ReadAllText(file)).Groups[1].Value;
            if (id.Length == 0)
            {
                continue;
            }

            using var map = Run("map", "show", "id", id);
            if (map.RootElement.GetProperty("type").GetString()!.Contains("hash", StringComparison.Ordinal))
            {
                using var dump = Run("map", "dump", "id", id);
                entries[map.RootElement.GetProperty("name").GetString()!] = dump.RootElement.GetArrayLength();
            }
        }

        return string.Join(", ", entries.Select(static entry => $"{entry.Key} {entry.Value}"));
    }

    /// <summary>Ends the agent.</summary>
    /// <returns>Its counters.</returns>
    public (Func<string, long> Lost, string Text) Stop()
    {
        Dispose();
        reading.Wait(TimeSpan.FromSeconds(10));
        string[] lines;
        lock (log)
        {
            lines = [.. log];
        }

        var table = lines.SkipWhile(static line => !line.StartsWith("place ", StringComparison.Ordinal)).ToArray();
        if (table.Length == 0)
        {
            throw new InvalidOperationException("the agent has printed no counters:\n" + string.Join('\n', lines));
        }

        var column = Array.IndexOf(Words(table[0]), "lost");
        return (
            place => table.Select(Words).Where(row => row.Length > column && row[0].Split('.')[0] == place)
                .Sum(row => long.Parse(row[column], CultureInfo.InvariantCulture)),
            string.Join('\n', lines));
    }

    public void Dispose()
    {
        if (!isStopped)
        {
            isStopped = true;
            process.Dispose();
        }
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static JsonDocument Run(params string[] arguments)
    {
        using var bpftool = Process.Start(new ProcessStartInfo("bpftool", ["-j", .. arguments]) { RedirectStandardOutput = true })!;
        var text = bpftool.StandardOutput.ReadToEnd();
        bpftool.WaitForExit();
        return JsonDocument.Parse(text);
    }

    private void Read(StreamReader output)
    {
        using var stream = new AgentStream(output.BaseStream);
        while (stream.TryRead(out var line))
        {
            if (line.Span is not null)
            {
                Interlocked.Increment(ref spans);
            }
            else if (line.Flow is { } flow)
            {
                Interlocked.Increment(ref flows);
                Interlocked.Add(ref flowPackets, flow.Packets);
            }
        }
    }

    [GeneratedRegex(@"^map_id:\s+(\d+)", RegexOptions.Multiline)]
    private static partial Regex Map();

    [GeneratedRegex(@"memlock:\s+(\d+)")]
    private static partial Regex Locked();
}
