namespace Beyla.Live.Tests.Rig;

/// <summary>Where things are: the agent under test, the sources of the native test programs.</summary>
internal static class Repository
{
    /// <summary>The directory that holds Beyla.slnx.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The agent under test: <c>out/bin/beyla</c>, or what <c>AGENT_UNDER_TEST</c> names.</summary>
    public static string Agent => Environment.GetEnvironmentVariable("AGENT_UNDER_TEST") is { Length: > 0 } other
        ? other
        : Path.Combine(Root, "out", "bin", "beyla");

    /// <summary>Where build.sh installs the packages of tests/node.</summary>
    public static string NodeModules => Path.Combine(Root, "out", "node", "node_modules");

    /// <summary>Where build.sh puts what the tests export to, and PowerShell.</summary>
    public static string Tools => Path.Combine(Root, "out", "tools");

    /// <summary>The program of the Aspire dashboard, which needs the files beside it.</summary>
    public static string Aspire => Path.Combine(Tools, "Aspire", "Aspire.Dashboard");

    /// <summary>A file that is kept when the tests are over: <c>out/artifacts</c>.</summary>
    public static string Artifact(string name) =>
        Path.Combine(Directory.CreateDirectory(Path.Combine(Root, "out", "artifacts")).FullName, name);

    private static string FindRoot()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Beyla.slnx")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException(
            $"Beyla.slnx is not above {AppContext.BaseDirectory}: run the live tests from the repository's build.");
    }
}
