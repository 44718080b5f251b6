using System.Diagnostics;

namespace Beyla.ModuleBuild.Materials;

/// <summary>Asks dpkg which package a file of the system belongs to.</summary>
internal static class DebianPackage
{
    /// <summary>
    /// Licences of what is linked, by source package: those of the libraries themselves, as their sources say. The file
    /// <c>/usr/share/doc/PACKAGE/copyright</c> also has those of programs, pages and build files.
    /// </summary>
    private static readonly Dictionary<string, string> Licenses = new(StringComparer.Ordinal)
    {
        ["libbpf"] = "LGPL-2.1-only OR BSD-2-Clause",
        ["elfutils"] = "LGPL-3.0-or-later OR GPL-2.0-or-later",
        ["zlib"] = "Zlib",
        ["glibc"] = "LGPL-2.1-or-later",
        ["gcc"] = "GPL-3.0-or-later WITH GCC-exception-3.1",
    };

    /// <summary>The package of a file, with the hash of each of the files of it that are used.</summary>
    /// <exception cref="InvalidDataException">No package owns it, or the licence of that package is not known here.</exception>
    public static Component Of(IReadOnlyList<string> files, Func<string, string> hash)
    {
        var package = Owner(files[0]) ?? throw new InvalidDataException($"no package owns '{files[0]}', which is linked into the agent");
        var facts = Run("dpkg-query", "-W", "-f", "${Package}\n${Version}\n${Architecture}\n${source:Package}\n${source:Version}", package)
            .Split('\n');
        // The sources of compilers have their major version in the name: gcc-12.
        var known = facts[3].StartsWith("gcc-", StringComparison.Ordinal) ? "gcc" : facts[3];
        return new Component
        {
            Type = "library", Name = facts[0], Version = facts[1],
            License = Licenses.GetValueOrDefault(known)
                ?? throw new InvalidDataException($"the licence of '{facts[3]}' is not known here: add it to {nameof(DebianPackage)}"),
            Purl = Component.PackageUrl("deb/debian", facts[0], facts[1], $"arch={facts[2]}&distro={Distribution()}"),
            Properties =
            [
                ("beyla:source", $"{facts[3]} {facts[4]}"),
                .. files.Select(f => ("beyla:linked:sha256", $"{Path.GetFileName(f)} {hash(f)}")),
            ],
        };
    }

    /// <summary>The name of the package that a file belongs to, with its architecture; null when none does.</summary>
    public static string? Owner(string file)
    {
        // dpkg knows the path as the package has it; the linker may come by another: over /lib, a link to /usr/lib, or over "..".
        var path = Path.GetFullPath(file);
        var name = Path.GetFileName(path);
        return Run("dpkg-query", "-S", "*/" + name).Split('\n').Select(l => l.Split(": "))
            .FirstOrDefault(p => p is [_, var owned] && Same(owned, path))?[0];
    }

    private static bool Same(string one, string other) => Whole(one) == Whole(other);

    // Debian's merged /usr: /lib and /lib64 are links into it.
    private static string Whole(string path) => path.StartsWith("/lib", StringComparison.Ordinal) ? "/usr" + path : path;

    private static string Distribution()
    {
        var facts = File.ReadLines("/etc/os-release").Select(l => l.Split('=', 2)).Where(p => p.Length == 2)
            .ToDictionary(p => p[0], p => p[1].Trim('"'), StringComparer.Ordinal);
        return $"{facts.GetValueOrDefault("ID")}-{facts.GetValueOrDefault("VERSION_ID")}";
    }

    /// <summary>What a program prints; nothing when it ends with an error.</summary>
    internal static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var said = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        said.Wait();
        return process.ExitCode == 0 ? output.TrimEnd('\n') : "";
    }
}
