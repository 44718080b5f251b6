using System.Diagnostics;

namespace Beyla.Benchmarks;

/// <summary>A program that the benchmark starts, measures and ends.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process process;

    private ChildProcess(Process process) => this.process = process;

    public int Id => process.Id;

    /// <summary>What it writes to standard output, where that is not thrown away.</summary>
    public StreamReader Output => process.StandardOutput;

    /// <summary>Starts a program; its output is thrown away, unless it is read.</summary>
    public static ChildProcess Start(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null,
        Action<string>? onLog = null, bool isRead = false)
    {
        var start = new ProcessStartInfo("/bin/sh")
        {
            RedirectStandardError = onLog is not null, RedirectStandardOutput = isRead, UseShellExecute = false,
        };
        var redirections = (isRead ? "" : ">/dev/null ") + (onLog is null ? "2>&1" : "");
        string[] words = ["-c", "exec \"$@\" " + redirections, "sh", program, .. arguments];
        foreach (var argument in words)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException($"cannot start {program}");
        if (onLog is not null)
        {
            process.ErrorDataReceived += (_, e) => onLog(e.Data ?? "");
            process.BeginErrorReadLine();
        }

        return new ChildProcess(process);
    }

    /// <summary>The worker of an agent; null for every other program.</summary>
    public int? Worker => File.ReadAllText($"/proc/{Id}/task/{Id}/children")
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(static pid => int.Parse(pid, System.Globalization.CultureInfo.InvariantCulture))
        .Cast<int?>()
        .FirstOrDefault(static pid => File.ReadAllText($"/proc/{pid}/comm").Trim() == "beyla: worker");

    /// <summary>CPU time of all threads so far, from /proc/PID/task/*/schedstat (nanoseconds), with those of a worker.</summary>
    public double CpuSeconds()
    {
        double sum = 0;
        foreach (var task in Both.SelectMany(static pid => Directory.GetDirectories($"/proc/{pid}/task")))
        {
            try
            {
                var nanoseconds = File.ReadAllText($"{task}/schedstat").Split(' ')[0];
                sum += long.Parse(nanoseconds, System.Globalization.CultureInfo.InvariantCulture) / 1e9;
            }
            catch (IOException)
            {
                // The thread has ended meanwhile.
            }
        }

        return sum;
    }

    /// <summary>
    /// A row of /proc/PID/smaps_rollup in KiB, such as Pss: what is resident, pages that several processes map divided among them. With
    /// that of a worker, so that what both map counts once.
    /// </summary>
    public long MemoryKib(string row) => Both.Sum(pid => long.Parse(
        File.ReadLines($"/proc/{pid}/smaps_rollup").First(line => line.StartsWith(row + ":", StringComparison.Ordinal))
            .Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1],
        System.Globalization.CultureInfo.InvariantCulture));

    private IEnumerable<int> Both => Worker is { } worker ? [Id, worker] : [Id];

    /// <summary>Asks the program to stop and waits.</summary>
    public void Dispose()
    {
        if (!process.HasExited)
        {
            using var kill = Process.Start("/bin/kill", ["-TERM", Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
            if (!process.WaitForExit(5000))
            {
                process.Kill();
            }
        }

        process.Dispose();
    }
}
