namespace Beyla.Live.Tests.Rig;

/// <summary>Builds the Go programs of tests/go, each once for each way to build it.</summary>
internal static class GoProgram
{
    private static readonly string Output = Path.Combine(AppContext.BaseDirectory, "go");
    private static readonly SemaphoreSlim Turn = new(1);

    /// <summary>The path of <c>tests/go/NAME.go</c>, built.</summary>
    /// <param name="name">The file without its ending.</param>
    /// <param name="variant">Names the way it is built; part of the file's name.</param>
    /// <param name="flags">For <c>go build</c>.</param>
    public static async Task<string> BuildAsync(string name, string variant = "plain", params string[] flags)
    {
        string source = Path.Combine(Repository.Root, "tests", "go", name + ".go"), binary = Path.Combine(Output, $"{name}-{variant}");
        await Turn.WaitAsync();
        try
        {
            if (!File.Exists(binary) || File.GetLastWriteTimeUtc(binary) < File.GetLastWriteTimeUtc(source))
            {
                Directory.CreateDirectory(Output);
                // Not the user's cache, and no look at a network.
                await Tool.RunAsync(
                    "env", [$"GOCACHE={Path.Combine(Output, "cache")}", "GO111MODULE=off", "GOFLAGS=", Tool.Find("go"), "build", .. flags,
                    "-o", binary, source]);
            }

            return binary;
        }
        finally
        {
            _ = Turn.Release();
        }
    }
}
