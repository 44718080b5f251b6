using System.Runtime.Versioning;
using Beyla.ModuleBuild;

// The module is for Linux, and built there.
[assembly: UnsupportedOSPlatform("windows")]

return args switch
{
    ["help", var assembly, var references, var output] => Help(assembly, references, output),
    ["pack", var module, var output] => Pack(module, output),
    ["release", var root, var output] => Complete(root, output),
    ["install", var source, var modules] => Install(source, modules),
    _ => Usage(),
};

static int Help(string assembly, string references, string output)
{
    var problems = new List<string>();
    var cmdlets = CmdletReader.Read(assembly, references.Split(';'), problems);
    if (problems.Count > 0)
    {
        // The form that MSBuild shows as errors.
        problems.ForEach(problem => Console.Error.WriteLine($"{Path.GetFileName(assembly)} : error HELP1: {problem}"));
        return 1;
    }

    Directory.CreateDirectory(Path.GetDirectoryName(output)!);
    MamlWriter.Write(cmdlets, output);
    return 0;
}

static int Pack(string module, string output)
{
    Console.WriteLine(PackageWriter.Write(module, output));
    return 0;
}

static int Complete(string root, string output)
{
    try
    {
        var version = PackageWriter.VersionOf(File.ReadAllText(Path.Combine(root, "out/modules/Beyla/Beyla.psd1")));
        var package = Path.Combine(output, $"Beyla.{version}.nupkg");
        Console.WriteLine(Release.Write(root, package, Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH")));
        return 0;
    }
    catch (Exception error) when (error is IOException or InvalidDataException or FormatException)
    {
        Console.Error.WriteLine($"release : error BILL1: {error.Message}");
        return 1;
    }
}

static int Install(string source, string modules)
{
    try
    {
        Console.WriteLine(ModuleInstaller.Install(source, modules));
        return 0;
    }
    catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
    {
        Console.Error.WriteLine($"the module is not installed in {modules}: {error.Message}");
        return 1;
    }
}

static int Usage()
{
    Console.Error.WriteLine(
        "usage: help ASSEMBLY REFERENCES OUTPUT | pack MODULE-FOLDER OUTPUT-FOLDER | release CHECKOUT PACKAGE-FOLDER\n"
        + "     | install MODULE-FOLDER-OR-PACKAGE FOLDER-OF-MODULES");
    return 2;
}
