namespace Beyla.Live.Tests.Rig;

/// <summary>Compiles the C programs of tests/native, each once.</summary>
internal static class NativeProgram
{
    private static readonly string Output = Path.Combine(AppContext.BaseDirectory, "native");

    /// <summary>The path of <c>tests/native/NAME.c</c>, compiled.</summary>
    public static async Task<string> BuildAsync(string name, params string[] libraries)
    {
        string source = Path.Combine(Repository.Root, "tests", "native", name + ".c"), binary = Path.Combine(Output, name);
        if (!File.Exists(binary) || File.GetLastWriteTimeUtc(binary) < File.GetLastWriteTimeUtc(source))
        {
            Directory.CreateDirectory(Output);
            await Tool.RunAsync("gcc", ["-O1", "-o", binary, source, .. libraries]);
        }

        return binary;
    }
}
