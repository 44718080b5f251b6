using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Propagation;

/// <summary>A control group (version 2) of one test, removed at its end, when its processes are gone.</summary>
internal sealed class TestCgroup : IAsyncDisposable
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

    public static TestCgroup Create()
    {
        string mount = Mount ?? throw new InvalidOperationException("Control groups of version 2 are not mounted.");
        TestCgroup created = new(
            mount, string.Create(CultureInfo.InvariantCulture, $"beyla-live-{Environment.ProcessId}-{Interlocked.Increment(ref count)}"));
        Directory.CreateDirectory(created.Path);
        return created;
    }

    public async ValueTask DisposeAsync()
    {
        await Wait.UntilAsync(() => File.ReadAllText(System.IO.Path.Combine(Path, "cgroup.procs")).Length == 0, Wait.Hang);
        Directory.Delete(Path);
    }
}
