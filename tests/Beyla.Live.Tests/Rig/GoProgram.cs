namespace Beyla.Live.Tests.Rig;

/// <summary>Builds the Go programs of tests/go, each once for each way to build it.</summary>
internal static class GoProgram
{
    private static readonly string Output = Path.Combine(AppContext.BaseDirectory, "go");
    private static readonly SemaphoreSlim Turn = new(1);

    /// <summary>The path of <c>tests/go/NAME.go</c>, or of the folder of that name, built.</summary>
    /// <param name="name">The file without its ending.</param>
    /// <param name="variant">Names the way it is built; part of the file's name.</param>
    /// <param name="flags">For <c>go build</c>.</param>
    public static async Task<string> BuildAsync(string name, string variant = "plain", params string[] flags)
    {
        string source = Path.Combine(Repository.Root, "tests", "go", name), binary = Path.Combine(Output, $"{name}-{variant}");
        bool isFolder = Directory.Exists(source);
        string[] files = isFolder ? Directory.GetFiles(source) : [source + ".go"];
        await Turn.WaitAsync();
        try
        {
            if (!File.Exists(binary) || files.Any(file => File.GetLastWriteTimeUtc(binary) < File.GetLastWriteTimeUtc(file)))
            {
                Directory.CreateDirectory(Output);
                // Not the user's cache, and no look at a network.
                await Tool.RunAsync(
                    "env", ["-C", isFolder ? source : ".", $"GOCACHE={Path.Combine(Output, "cache")}", "GO111MODULE=off", "GOFLAGS=",
                    Tool.Find("go"), "build", .. flags, "-o", binary, isFolder ? "." : files[0]]);
            }

            return binary;
        }
        finally
        {
            _ = Turn.Release();
        }
    }
}
