using System.Diagnostics;

namespace Beyla.Benchmarks;

/// <summary>A program that the benchmark starts, measures and ends.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process process;

    private ChildProcess(Process process) => this.process = process;

    public int Id => process.Id;

    /// <summary>Starts a program; its output is thrown away.</summary>
    public static ChildProcess Start(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null,
        Action<string>? onLog = null)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardError = onLog is not null, UseShellExecute = false };
        string[] words = ["-c", "exec \"$@\" >/dev/null " + (onLog is null ? "2>&1" : ""), "sh", program, .. arguments];
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

    /// <summary>CPU time of all threads so far, from /proc/PID/task/*/schedstat (nanoseconds).</summary>
    public double CpuSeconds()
    {
        double sum = 0;
        foreach (var task in Directory.GetDirectories($"/proc/{Id}/task"))
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

    /// <summary>A row of /proc/PID/status in KiB, such as VmRSS.</summary>
    public long StatusKib(string row) => long.Parse(
        File.ReadLines($"/proc/{Id}/status").First(line => line.StartsWith(row + ":", StringComparison.Ordinal))
            .Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1],
        System.Globalization.CultureInfo.InvariantCulture);

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
