using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Beyla.ModuleBuild;

/// <summary>
/// Writes the module as a NuGet package, as the PowerShell Gallery takes it. Written here and not by NuGet, because the agent must stay
/// executable: its entry carries Unix permissions. The same files give the same bytes.
/// </summary>
internal static partial class PackageWriter
{
    private const int File644 = 0x81A4 << 16, File755 = unchecked(0x81ED << 16); // RegularFile and the permissions, where zip keeps them

    private static readonly DateTimeOffset Epoch = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes the package and returns its path.</summary>
    /// <param name="module">The staged module.</param>
    /// <param name="output">The folder for the package.</param>
    public static string Write(string module, string output)
    {
        var manifest = File.ReadAllText(Path.Combine(module, "Beyla.psd1"));
        var version = VersionOf(manifest);
        var files = Directory.EnumerateFiles(module, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(module, f))
            .Order(StringComparer.Ordinal).ToList();
        if (!files.Contains("bin/beyla"))
        {
            throw new FileNotFoundException("the agent is not staged: publish src/Beyla.Cli first", Path.Combine(module, "bin/beyla"));
        }

        Directory.CreateDirectory(output);
        var path = Path.Combine(output, $"Beyla.{version}.nupkg");
        File.Delete(path);
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        Add(zip, "Beyla.nuspec", Utf8(Specification(manifest, version)), File644);
        Add(zip, "[Content_Types].xml", Utf8(ContentTypes(files)), File644);
        Add(zip, "_rels/.rels", Utf8(Relations()), File644);
        foreach (var file in files)
        {
            Add(zip, file, File.ReadAllBytes(Path.Combine(module, file)), file == "bin/beyla" ? File755 : File644);
        }

        return path;
    }

    /// <summary>The version that a manifest names.</summary>
    /// <exception cref="InvalidDataException">It names none, or one that is none.</exception>
    public static string VersionOf(string manifest) =>
        Version.TryParse(Value(manifest, "ModuleVersion"), out var version) ? version.ToString()
            : throw new InvalidDataException("the ModuleVersion of Beyla.psd1 is no version");

    private static void Add(ZipArchive zip, string name, byte[] content, int attributes)
    {
        var entry = zip.CreateEntry(name, CompressionLevel.SmallestSize);
        entry.ExternalAttributes = attributes;
        entry.LastWriteTime = Epoch;
        using var stream = entry.Open();
        stream.Write(content);
    }

    private static XDocument Specification(string manifest, string version)
    {
        XNamespace ns = "http://schemas.microsoft.com/packaging/2011/08/nuspec.xsd";
        var cmdlets = List(manifest, "CmdletsToExport");
        var tags = List(manifest, "Tags").Append("PSModule").Append("PSIncludes_Cmdlet")
            .Concat(cmdlets.SelectMany(c => new[] { "PSCmdlet_" + c, "PSCommand_" + c }));
        return new XDocument(new XElement(ns + "package", new XElement(
            ns + "metadata",
            new XElement(ns + "id", "Beyla"), new XElement(ns + "version", version),
            new XElement(ns + "authors", Value(manifest, "Author")),
            new XElement(ns + "requireLicenseAcceptance", "false"),
            new XElement(ns + "license", new XAttribute("type", "expression"), "Apache-2.0"),
            new XElement(ns + "projectUrl", Value(manifest, "ProjectUri")),
            new XElement(ns + "description", Value(manifest, "Description")),
            new XElement(ns + "releaseNotes", Value(manifest, "ReleaseNotes")),
            new XElement(ns + "copyright", Value(manifest, "Copyright")),
            new XElement(ns + "tags", string.Join(' ', tags)))));
    }

    private static XDocument ContentTypes(IEnumerable<string> files)
    {
        XNamespace ns = "http://schemas.openxmlformats.org/package/2006/content-types";
        var extensions = files.Select(f => Path.GetExtension(f).TrimStart('.')).Append("nuspec").Where(e => e.Length > 0).Distinct()
            .Order(StringComparer.Ordinal);
        var bare = files.Where(f => Path.GetExtension(f).Length == 0);
        return new XDocument(new XElement(
            ns + "Types",
            new XElement(ns + "Default", new XAttribute("Extension", "rels"),
                new XAttribute("ContentType", "application/vnd.openxmlformats-package.relationships+xml")),
            extensions.Select(e => new XElement(
                ns + "Default", new XAttribute("Extension", e), new XAttribute("ContentType", "application/octet-stream"))),
            bare.Select(f => new XElement(
                ns + "Override", new XAttribute("PartName", "/" + f), new XAttribute("ContentType", "application/octet-stream")))));
    }

    private static XDocument Relations()
    {
        XNamespace ns = "http://schemas.openxmlformats.org/package/2006/relationships";
        return new XDocument(new XElement(ns + "Relationships", new XElement(
            ns + "Relationship", new XAttribute("Type", "http://schemas.microsoft.com/packaging/2010/07/manifest"),
            new XAttribute("Target", "/Beyla.nuspec"), new XAttribute("Id", "R1"))));
    }

    private static byte[] Utf8(XDocument document)
    {
        using var stream = new MemoryStream();
        using (var writer = new StreamWriter(stream, new UTF8Encoding(false)))
        {
            document.Save(writer);
        }

        return stream.ToArray();
    }

    private static string Value(string manifest, string key) =>
        Regex.Match(manifest, $@"^\s*{key}\s*=\s*'((?:[^']|'')*)'", RegexOptions.Multiline) is { Success: true } match
            ? match.Groups[1].Value.Replace("''", "'", StringComparison.Ordinal)
            : throw new InvalidDataException($"Beyla.psd1 has no {key}");

    private static List<string> List(string manifest, string key) =>
        Regex.Match(manifest, $@"^\s*{key}\s*=\s*@\(([^)]*)\)", RegexOptions.Multiline) is { Success: true } match
            ? [.. Quoted().Matches(match.Groups[1].Value).Select(m => m.Groups[1].Value)]
            : throw new InvalidDataException($"Beyla.psd1 has no {key}");

    [GeneratedRegex("'([^']*)'")]
    private static partial Regex Quoted();
}
