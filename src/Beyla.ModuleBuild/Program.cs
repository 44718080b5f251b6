using Beyla.ModuleBuild;

return args switch
{
    ["help", var assembly, var references, var output] => Help(assembly, references, output),
    ["pack", var module, var output] => Pack(module, output),
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

static int Usage()
{
    Console.Error.WriteLine("usage: help ASSEMBLY REFERENCES OUTPUT | pack MODULE-FOLDER OUTPUT-FOLDER");
    return 2;
}
