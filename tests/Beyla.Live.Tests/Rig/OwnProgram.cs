namespace Beyla.Live.Tests.Rig;

/// <summary>
/// A program of the machine under a name of the test's own, so that a rule about executables selects what the test started and no service
/// that happens to run the same program.
/// </summary>
internal sealed class OwnProgram : IDisposable
{
    private static int last;

    private readonly TempDirectory files = new();

    /// <summary>Copies a program. What it finds by its own path (modules, libraries) it takes from where it was built for.</summary>
    public OwnProgram(string name)
    {
        Name = $"{name}-{Environment.ProcessId}-{Interlocked.Increment(ref last)}";
        Path = System.IO.Path.Combine(files.Path, Name);
        File.Copy(File.ResolveLinkTarget(Tool.Find(name), returnFinalTarget: true)?.FullName ?? Tool.Find(name), Path);
    }

    /// <summary>The name of the file, which is nobody else's.</summary>
    public string Name { get; }

    /// <summary>Full path.</summary>
    public string Path { get; }

    /// <summary>A pattern of <c>BEYLA_AUTO_TARGET_EXE</c> for it.</summary>
    public string Glob => "*/" + Name;

    public void Dispose() => files.Dispose();
}
