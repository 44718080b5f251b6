using Beyla.ModuleBuild.Materials;

namespace Beyla.ModuleBuild;

/// <summary>Completes the folder that a release consists of: package, agent, bill of materials, and the hashes of all three.</summary>
internal static class Release
{
    private const UnixFileMode File755 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Writes the files beside the package and returns the path of the hashes.</summary>
    /// <param name="root">The checkout, with what was built in its folder <c>out</c>.</param>
    /// <param name="package">The package, which <see cref="PackageWriter"/> wrote.</param>
    /// <param name="epoch">SOURCE_DATE_EPOCH, or nothing.</param>
    /// <exception cref="InvalidDataException">Something is linked in whose origin or licence is not known.</exception>
    public static string Write(string root, string package, string? epoch)
    {
        var output = Path.GetDirectoryName(Path.GetFullPath(package))!;
        var version = Path.GetFileNameWithoutExtension(package)["Beyla.".Length..];
        var seconds = string.IsNullOrEmpty(epoch) ? (long?)null : long.Parse(epoch, System.Globalization.CultureInfo.InvariantCulture);
        var bill = Path.Combine(output, $"Beyla.{version}.cdx.json");
        File.WriteAllBytes(bill, BillOfMaterials.Write(Inventory.Of(root), package, version, seconds));

        var agent = Path.Combine(output, "beyla");
        File.Delete(agent);
        File.Copy(Path.Combine(root, "out/modules/Beyla/bin/beyla"), agent);
        File.SetUnixFileMode(agent, File755);

        // The form of sha256sum: the hash, two blanks, the name.
        var sums = Path.Combine(output, "SHA256SUMS");
        File.WriteAllText(sums, string.Concat(
            new[] { package, bill, agent }.Select(f => $"{Inventory.Hash(f)}  {Path.GetFileName(f)}\n")));
        return sums;
    }
}
