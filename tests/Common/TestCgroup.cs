using System.Globalization;

namespace Beyla.Tests.Common;

/// <summary>A control group (version 2) of one test or measurement, removed at its end, when its processes are gone.</summary>
internal sealed class TestCgroup : IDisposable, IAsyncDisposable
{
    private static int count;

    private TestCgroup(string mount, string name) => (Name, Path) = ("/" + name, System.IO.Path.Combine(mount, name));

    /// <summary>Where control groups of the second version are mounted, or null.</summary>
    public static string? Mount { get; } = File.ReadAllLines("/proc/self/mountinfo")
        .Where(line => line.Contains(" - cgroup2 ", StringComparison.Ordinal)).Select(line => line.Split(' ')[4]).FirstOrDefault();

    /// <summary>Relative to the mount.</summary>
    public string Name { get; }

    public string Path { get; }

    /// <summary>A command that runs another inside.</summary>
    public IReadOnlyList<string> Prefix => ["/bin/sh", "-c", $"echo $$ > {Path}/cgroup.procs && exec \"$@\"", "inside"];

    /// <exception cref="InvalidOperationException">Control groups of version 2 are not mounted.</exception>
    public static TestCgroup Create()
    {
        var mount = Mount ?? throw new InvalidOperationException("Control groups of version 2 are not mounted.");
        TestCgroup created = new(
            mount, string.Create(CultureInfo.InvariantCulture, $"beyla-test-{Environment.ProcessId}-{Interlocked.Increment(ref count)}"));
        Directory.CreateDirectory(created.Path);
        return created;
    }

    public ValueTask DisposeAsync() => new(Task.Run(Dispose));

    public void Dispose()
    {
        // A process that is killed leaves a moment later; half a minute is what only one that hangs takes.
        for (var i = 0; i < 6000 && File.ReadAllText($"{Path}/cgroup.procs").Length > 0; i++)
        {
            Thread.Sleep(5);
        }

        Directory.Delete(Path);
    }
}
