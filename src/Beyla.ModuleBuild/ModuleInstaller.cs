using System.IO.Compression;

namespace Beyla.ModuleBuild;

/// <summary>
/// Puts the module into a folder of PSModulePath, as NAME/VERSION, so that Import-Module finds it by name. From the staged folder or
/// from the package. File capabilities do not come along: they belong to a file, not to what is in it.
/// </summary>
internal static class ModuleInstaller
{
    private const string Agent = "bin/beyla";

    private const UnixFileMode File644 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
        File755 = File644 | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>
    /// Installs and returns the folder of the module. What was there of the same version is replaced as a whole; other versions stay.
    /// </summary>
    /// <param name="source">The staged module, or a package.</param>
    /// <param name="modules">The folder of PSModulePath.</param>
    public static string Install(string source, string modules)
    {
        var place = Folder(Path.Combine(Path.GetFullPath(modules), "Beyla"));
        var fresh = Folder(Path.Combine(place, $".new-{Environment.ProcessId}"));
        try
        {
            foreach (var (name, content) in Directory.Exists(source) ? FromFolder(source) : FromPackage(source))
            {
                using (content)
                {
                    Write(Path.Combine(fresh, name), content, name == Agent ? File755 : File644);
                }
            }

            if (!File.Exists(Path.Combine(fresh, Agent)))
            {
                throw new FileNotFoundException($"'{source}' has no {Agent}: build it first", source);
            }

            var target = Path.Combine(place, PackageWriter.VersionOf(File.ReadAllText(Path.Combine(fresh, "Beyla.psd1"))));
            if (Directory.Exists(target))
            {
                Directory.Delete(target, recursive: true);
            }

            Directory.Move(fresh, target);
            return target;
        }
        finally
        {
            if (Directory.Exists(fresh))
            {
                Directory.Delete(fresh, recursive: true);
            }
        }
    }

    private static IEnumerable<(string Name, Stream Content)> FromFolder(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(f => (Path.GetRelativePath(folder, f), (Stream)File.OpenRead(f)));

    private static IEnumerable<(string Name, Stream Content)> FromPackage(string package)
    {
        using var zip = ZipFile.OpenRead(package);
        // What makes it a package is no part of the module.
        foreach (var entry in zip.Entries.Where(e => e.Name.Length > 0 && !e.FullName.StartsWith("_rels/", StringComparison.Ordinal)
            && e.FullName is not ("Beyla.nuspec" or "[Content_Types].xml")))
        {
            if (Path.IsPathRooted(entry.FullName) || entry.FullName.Split('/', '\\').Contains(".."))
            {
                throw new InvalidDataException($"'{package}' holds a file outside of it: '{entry.FullName}'");
            }

            yield return (entry.FullName, entry.Open());
        }
    }

    private static void Write(string path, Stream content, UnixFileMode mode)
    {
        Folder(Path.GetDirectoryName(path)!);
        using (var file = new FileStream(
            path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode }))
        {
            content.CopyTo(file);
        }
        // Whatever the umask is, who may import the module must read it, and nobody else may write the agent.
        File.SetUnixFileMode(path, mode);
    }

    private static string Folder(string path)
    {
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(path, File755);
        }

        return path;
    }
}
