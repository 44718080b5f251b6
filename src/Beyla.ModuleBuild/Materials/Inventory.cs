using System.Security.Cryptography;

namespace Beyla.ModuleBuild.Materials;

/// <summary>Collects what is shipped: the files of the module, what is linked into the agent, and what both were built with.</summary>
internal sealed class Inventory
{
    // The compiler of NativeAOT, the trimmer and PowerShell's reference assembly: nothing of them is shipped.
    private static readonly string[] BuildOnly =
    [
        "Microsoft.DotNet.ILCompiler", "runtime.linux-x64.Microsoft.DotNet.ILCompiler", "Microsoft.NET.ILLink.Tasks",
        "PowerShellStandard.Library",
    ];

    private const string ExporterProject = "Beyla.PowerShell.Console";

    private readonly string root;

    private Inventory(string root)
    {
        this.root = root;
        var sources = LinkMap.Sources(File.ReadLines(Path.Combine(root, "out/native/beyla.map")));
        var own = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)) + "/";
        var foreign = sources.Where(s => !Path.GetFullPath(s).StartsWith(own, StringComparison.Ordinal)).ToList();
        var fromNuGet = foreign.Select(NuGetPackage.FolderOf).OfType<string>().Distinct().ToList();
        Linked =
        [
            .. fromNuGet.Select(f => NuGetPackage.Read(f)),
            .. foreign.Where(s => NuGetPackage.FolderOf(s) is null).GroupBy(DebianPackage.Owner)
                .Select(g => DebianPackage.Of([.. g], Hash)),
        ];
        var packages = Path.GetDirectoryName(Path.GetDirectoryName(fromNuGet[0]))!;
        var locks = Directory.EnumerateFiles(Path.Combine(root, "src"), "packages.lock.json", SearchOption.AllDirectories)
            .ToLookup(file => Path.GetFileName(Path.GetDirectoryName(file)) == ExporterProject);
        var locked = Packages(packages, locks[false]);
        Linked = [.. Linked, .. locked.Where(p => !p.BuildOnly)];
        var exporter = Packages(packages, locks[true]);
        Exporter = new ExporterFiles(Path.Combine(root, "out/modules/Beyla"), exporter.Where(p => !p.BuildOnly), packages);
        Tools = [.. locked.Concat(exporter).Where(p => p.BuildOnly).DistinctBy(p => p.Reference)];
        Programs = [.. Files(Path.Combine(root, "out/bpf"), "*.bpf.o", "GPL-2.0-only OR BSD-2-Clause")];
        Module = [.. Files(Path.Combine(root, "out/modules/Beyla"), "*", "Apache-2.0").Select(Exporter.WithLicense)];
    }

    /// <summary>Libraries whose code is in the agent, native and managed.</summary>
    public IReadOnlyList<Component> Linked { get; }

    /// <summary>The packages whose files lie in the folder of the module's exporter.</summary>
    public ExporterFiles Exporter { get; }

    /// <summary>The eBPF programs, each a file embedded in the agent.</summary>
    public IReadOnlyList<Component> Programs { get; }

    /// <summary>The files of the module, the agent among them.</summary>
    public IReadOnlyList<Component> Module { get; }

    /// <summary>Packages that were used to build and are no part of what is shipped.</summary>
    public IReadOnlyList<Component> Tools { get; }

    /// <summary>What compiled and linked: who rebuilds needs the same, to get the same bytes.</summary>
    public static IReadOnlyList<(string Name, string Value)> Toolchain =>
    [
        ("beyla:build:dotnet-sdk", DebianPackage.Run("dotnet", "--version")),
        ("beyla:build:clang", FirstLine(DebianPackage.Run("clang", "--version"))),
        ("beyla:build:linker", FirstLine(DebianPackage.Run("ld", "--version"))),
    ];

    /// <summary>Reads what was built in a checkout.</summary>
    /// <exception cref="InvalidDataException">Something is linked in whose origin or licence is not known.</exception>
    /// <exception cref="IOException">The build is not complete.</exception>
    public static Inventory Of(string root) => new(root);

    /// <summary>SHA-256 of a file, in lower-case hexadecimal.</summary>
    public static string Hash(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static string FirstLine(string text) => text.Split('\n')[0];

    /// <summary>What some lock files name, each package once.</summary>
    private static List<Component> Packages(string folder, IEnumerable<string> locks) =>
    [
        .. locks.SelectMany(NuGetPackage.Locked).Distinct()
            .OrderBy(p => p.Name, StringComparer.OrdinalIgnoreCase).ThenBy(p => p.Version)
            .Select(p => NuGetPackage.Read(
                Path.Combine(folder, p.Name.ToLowerInvariant(), p.Version.ToLowerInvariant()), BuildOnly.Contains(p.Name))),
    ];

    private IEnumerable<Component> Files(string folder, string pattern, string license) =>
        Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => new Component
        {
            Type = "file", Name = Path.GetRelativePath(pattern == "*" ? folder : Path.Combine(root, "out"), file), License = license,
            Hashes = [("SHA-256", Hash(file))],
        });
}
