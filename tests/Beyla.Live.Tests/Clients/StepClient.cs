using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Clients;

/// <summary>
/// A database client in a process of its own, which does one step for each line that it reads, and writes what came of it and then
/// <c>done</c>. So a test decides what happens before the agent comes and what after.
/// </summary>
internal sealed class StepClient : IAsyncDisposable
{
    private readonly ChildProcess process;
    private int read;

    private StepClient(ChildProcess process) => this.process = process;

    public int Pid => this.process.Pid;

    /// <summary>The rule that selects it.</summary>
    public string Rule => string.Create(CultureInfo.InvariantCulture, $"target_pids: \"{Pid}\"");

    /// <summary>A script of Clients/Scripts in Python, which is given the port of its server.</summary>
    public static Task<StepClient> PythonAsync(string script, int port) =>
        StartAsync(Tool.Find("python3"), ["-I", Script(script), Text(port)]);

    /// <summary>A script of Clients/Scripts in JavaScript, with the packages that build.sh installed.</summary>
    public static Task<StepClient> NodeAsync(string script, int port) =>
        StartAsync(Tool.Find("node"), [Script(script), Text(port)], [new("NODE_PATH", Repository.NodeModules)]);

    /// <summary>tests/DatabaseClient: <c>npgsql</c> or <c>redis</c>.</summary>
    public static Task<StepClient> DotnetAsync(string which, int port) =>
        StartAsync(Path.Combine(AppContext.BaseDirectory, "DatabaseClient"), [which, Text(port)]);

    /// <summary>Lets it do a step.</summary>
    /// <returns>What it wrote of it.</returns>
    public async Task<string[]> RunAsync(string step)
    {
        this.process.WriteLine(step);
        return await ReadAsync(step);
    }

    /// <summary>Lets it end by itself, which closes its connections in its own way.</summary>
    public async Task EndAsync()
    {
        this.process.CloseInput();
        int status = await this.process.WaitForExitAsync(Wait.Hang);
        Assert.True(status == 0, $"The client ended with {status}: {this.process.Errors}");
    }

    public ValueTask DisposeAsync() => this.process.DisposeAsync();

    private static async Task<StepClient> StartAsync(
        string file, string[] arguments, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        StepClient client = new(ChildProcess.Start(file, arguments, environment));
        try
        {
            await client.ReadAsync("start");
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    private async Task<string[]> ReadAsync(string step)
    {
        int End() => this.process.OutputLines.Skip(this.read).TakeWhile(line => line != "done").Count();
        bool Done() => this.process.OutputLines.Skip(this.read).Contains("done");
        await Wait.UntilAsync(() => Done() || this.process.HasExited, Wait.Hang);
        Assert.True(Done(), $"The client does not do '{step}': {this.process.Output}\n{this.process.Errors}");
        string[] lines = [.. this.process.OutputLines.Skip(this.read).Take(End())];
        this.read += lines.Length + 1;
        return lines;
    }

    private static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Clients", "Scripts", name);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
