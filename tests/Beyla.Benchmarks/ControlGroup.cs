using System.Globalization;

namespace Beyla.Benchmarks;

/// <summary>A control group (version 2) of one benchmark, removed at its end, when its processes are gone.</summary>
internal sealed class ControlGroup : IDisposable
{
    private static int count;

    private readonly string path;

    /// <exception cref="InvalidOperationException">Control groups of version 2 are not mounted.</exception>
    public ControlGroup()
    {
        var mount = File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(" - cgroup2 ", StringComparison.Ordinal))
            .Select(line => line.Split(' ')[4]).FirstOrDefault()
            ?? throw new InvalidOperationException("control groups of version 2 are not mounted");
        path = Path.Combine(
            mount, string.Create(CultureInfo.InvariantCulture, $"beyla-bench-{Environment.ProcessId}-{Interlocked.Increment(ref count)}"));
        Directory.CreateDirectory(path);
    }

    /// <summary>A command that runs the one behind it inside.</summary>
    public IReadOnlyList<string> Prefix => ["/bin/sh", "-c", $"echo $$ >{path}/cgroup.procs && exec \"$@\"", "inside"];

    public void Dispose()
    {
        for (var i = 0; i < 100 && File.ReadAllText($"{path}/cgroup.procs").Length > 0; i++)
        {
            Thread.Sleep(50);
        }

        Directory.Delete(path);
    }
}
