namespace Beyla.ModuleBuild.Materials;

/// <summary>Which packages the files in the folder <c>exporter</c> of the module come from. They are shipped as they are.</summary>
internal sealed class ExporterFiles
{
    private const string Folder = "exporter", Own = "Beyla.", Notice = "NOTICE";

    /// <summary>Finds the package of each file.</summary>
    /// <param name="module">The staged module.</param>
    /// <param name="packages">The packages that the exporter's project is locked to.</param>
    /// <param name="root">The folder in which NuGet unpacked them.</param>
    /// <exception cref="InvalidDataException">No package has a file, or a package has none of the files.</exception>
    public ExporterFiles(string module, IEnumerable<Component> packages, string root)
    {
        Packages = [.. packages];
        var known = Packages.SelectMany(package => Libraries(root, package).Select(file => (Key(file), Package: package)))
            .ToLookup(pair => pair.Item1, pair => pair.Package);
        Owners =
        [
            .. Directory.EnumerateFiles(Path.Combine(module, Folder)).Order(StringComparer.Ordinal)
                .Where(file => !Path.GetFileName(file).StartsWith(Own, StringComparison.Ordinal) && Path.GetFileName(file) != Notice)
                .Select(file => (Path.GetRelativePath(module, file), known[Key(file)].FirstOrDefault()
                    ?? throw new InvalidDataException($"no package of the exporter owns '{file}'"))),
        ];
        if (Packages.FirstOrDefault(package => Owners.All(owner => owner.Package != package)) is { } unused)
        {
            throw new InvalidDataException($"nothing of the package {unused.Name} is in the folder {Folder} of the module");
        }
    }

    /// <summary>The packages.</summary>
    public IReadOnlyList<Component> Packages { get; }

    /// <summary>The path of each file in the module, and its package.</summary>
    public IReadOnlyList<(string File, Component Package)> Owners { get; }

    /// <summary>The same file of the module, with the licence of the package that it comes from.</summary>
    public Component WithLicense(Component file) =>
        Owners.FirstOrDefault(owner => owner.File == file.Name).Package is { } package ? file with { License = package.License } : file;

    private static IEnumerable<string> Libraries(string root, Component package)
    {
        var folder = Path.Combine(root, package.Name.ToLowerInvariant(), package.Version!.ToLowerInvariant(), "lib");
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.dll", SearchOption.AllDirectories) : [];
    }

    private static (string Name, string Hash) Key(string file) => (Path.GetFileName(file), Inventory.Hash(file));
}
