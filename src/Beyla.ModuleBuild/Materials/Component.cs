namespace Beyla.ModuleBuild.Materials;

/// <summary>Something that is in what is shipped, or that it was built with: a component of CycloneDX.</summary>
internal sealed record Component
{
    /// <summary>What it is, in the words of CycloneDX: <c>application</c>, <c>library</c> or <c>file</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The name of a package, or the path of a file in the module.</summary>
    public required string Name { get; init; }

    /// <summary>As its distributor writes it.</summary>
    public string? Version { get; init; }

    /// <summary>A licence expression of SPDX.</summary>
    public string? License { get; init; }

    /// <summary>Where the licence is to be read, for one that names no expression.</summary>
    public string? LicenseUrl { get; init; }

    /// <summary>Package URL: https://github.com/package-url/purl-spec.</summary>
    public string? Purl { get; init; }

    /// <summary>The algorithm, as CycloneDX names it, and the hash in lower-case hexadecimal.</summary>
    public IReadOnlyList<(string Algorithm, string Hash)> Hashes { get; init; } = [];

    /// <summary>Further facts, by name.</summary>
    public IReadOnlyList<(string Name, string Value)> Properties { get; init; } = [];

    /// <summary>It was used to build, and is no part of what is shipped.</summary>
    public bool BuildOnly { get; init; }

    /// <summary>Its name in the document.</summary>
    public string Reference => Purl ?? $"{Type}:{Name}";

    /// <summary>A package URL; the version is escaped as the specification says, so a colon stays.</summary>
    /// <param name="kind">The type and namespace: <c>nuget</c>, <c>deb/debian</c>.</param>
    /// <param name="name">The name of the package.</param>
    /// <param name="version">Its version.</param>
    /// <param name="qualifiers">What follows the question mark, escaped; null for nothing.</param>
    public static string PackageUrl(string kind, string name, string version, string? qualifiers = null) =>
        $"pkg:{kind}/{Uri.EscapeDataString(name)}@{Uri.EscapeDataString(version).Replace("%3A", ":", StringComparison.Ordinal)}"
        + (qualifiers is null ? "" : "?" + qualifiers);
}
