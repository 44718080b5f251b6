using System.Security.Cryptography;
using System.Text.Json;
using System.Xml.Linq;

namespace Beyla.ModuleBuild.Materials;

/// <summary>Reads packages where NuGet unpacked them: NAME/VERSION in one folder, each with its nuspec and the package itself.</summary>
internal static class NuGetPackage
{
    /// <summary>The folder NAME/VERSION that a file lies in; null when it lies in no package.</summary>
    public static string? FolderOf(string file)
    {
        for (var folder = Path.GetDirectoryName(Path.GetFullPath(file)); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, ".nupkg.metadata")))
            {
                return folder;
            }
        }

        return null;
    }

    /// <summary>A package as its nuspec describes it. The hash is the one that nuget.org publishes: SHA-512 of the package.</summary>
    /// <param name="folder">NAME/VERSION.</param>
    /// <param name="buildOnly">No part of what is shipped.</param>
    public static Component Read(string folder, bool buildOnly = false)
    {
        var metadata = XDocument.Load(Directory.EnumerateFiles(folder, "*.nuspec").Single()).Root!.Elements().First();
        string? Value(string name) => metadata.Elements().FirstOrDefault(e => e.Name.LocalName == name)?.Value;
        var license = metadata.Elements()
            .FirstOrDefault(e => e.Name.LocalName == "license" && e.Attribute("type")?.Value == "expression")?.Value;
        using var package = File.OpenRead(Directory.EnumerateFiles(folder, "*.nupkg").Single());
        var (id, version) = (Value("id")!, Value("version")!);
        return new Component
        {
            Type = "library", Name = id, Version = version, License = license,
            LicenseUrl = license is null ? Value("licenseUrl") : null,
            Purl = Component.PackageUrl("nuget", id, version), BuildOnly = buildOnly,
            Hashes = [("SHA-512", Convert.ToHexStringLower(SHA512.HashData(package)))],
        };
    }

    /// <summary>The packages that a lock file names, those of projects aside, as NAME and VERSION, by name.</summary>
    public static IReadOnlyList<(string Name, string Version)> Locked(string lockFile)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(lockFile));
        return
        [
            .. document.RootElement.GetProperty("dependencies").EnumerateObject().SelectMany(f => f.Value.EnumerateObject())
                .Where(p => p.Value.GetProperty("type").GetString() != "Project")
                .Select(p => (p.Name, p.Value.GetProperty("resolved").GetString()!)).Distinct()
                .OrderBy(p => p.Name, StringComparer.OrdinalIgnoreCase),
        ];
    }
}
