using System.Runtime.CompilerServices;

namespace Beyla.Agent.Tests.Documents;

/// <summary>Pages of the documentation that are made from tables of the program, whole or in part.</summary>
internal static class Page
{
    /// <summary>Where the documentation lies.</summary>
    public static string Directory { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../../docs"));

    public static string PathOf(string name) => Path.Combine(Directory, name);

    /// <summary>Asserts that a page is what its maker makes of it; with BEYLA_UPDATE_DOCS=1 it is written first.</summary>
    /// <param name="name">The file in docs/.</param>
    /// <param name="make">Gets the page as it is, for what is written by hand in it; returns it as it has to be.</param>
    public static void IsMade(string name, Func<string, string> make)
    {
        var path = PathOf(name);
        if (Environment.GetEnvironmentVariable("BEYLA_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, make(File.ReadAllText(path)));
        }

        var page = File.ReadAllText(path);
        Assert.Equal(make(page), page);
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
