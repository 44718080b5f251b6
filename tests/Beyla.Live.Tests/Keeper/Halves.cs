using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Keeper;

/// <summary>
/// The start of the executable with a main of the tests (tests/native/halves.c): the keeper waits, the worker does what it is asked and
/// answers with the error number.
/// </summary>
internal sealed class Halves : IAsyncDisposable
{
    private static readonly Lazy<Task<string>> Built = new(BuildAsync);

    private readonly ChildProcess process;
    private readonly int before;
    private int asked;

    private Halves(ChildProcess process, int before, int worker)
    {
        this.process = process;
        this.before = before;
        Worker = worker;
    }

    /// <summary>The path of the program.</summary>
    public static Task<string> Program => Built.Value;

    public int Keeper => this.process.Pid;

    public int Worker { get; }

    /// <summary>The lines with which the worker began: its arguments and descriptors.</summary>
    public IReadOnlyList<string> Beginning => [.. this.process.OutputLines.Take(this.before)];

    /// <param name="prefix">What starts it, such as setpriv(1).</param>
    /// <param name="arguments">Its arguments; none splits it too.</param>
    /// <param name="program">Another copy of it.</param>
    public static async Task<Halves> StartAsync(string[] prefix, string[]? arguments = null, string? program = null)
    {
        string[] command = [.. prefix, program ?? await Program, .. arguments ?? []];
        ChildProcess process = ChildProcess.Start(
            command[0].Contains('/') ? command[0] : Tool.Find(command[0]), command[1..]);
        string? line = null;
        bool started = await Wait.UntilAsync(
            () => (line = process.OutputLines.FirstOrDefault(text => text.StartsWith("worker ", StringComparison.Ordinal))) is not null
                || process.HasExited,
            Wait.Hang);
        if (!started || line is null)
        {
            string said = process.Output + process.Errors;
            await process.DisposeAsync();
            throw new InvalidOperationException($"The worker did not start: {said}");
        }

        string[] words = line.Split(' ');
        return new Halves(
            process, process.OutputLines.ToList().IndexOf(line) + 1, int.Parse(words[1], CultureInfo.InvariantCulture));
    }

    /// <summary>Has the worker do something.</summary>
    /// <returns>The error number; null when it ended instead.</returns>
    public async Task<int?> AskAsync(string what)
    {
        this.process.WriteLine(what);
        int line = this.before + this.asked++;
        await Wait.UntilAsync(() => this.process.OutputLines.Count() > line || this.process.HasExited, Wait.Hang);
        return this.process.OutputLines.ElementAtOrDefault(line) is { } answer
            ? int.Parse(answer, CultureInfo.InvariantCulture)
            : null;
    }

    /// <summary>The value of a line of a process's status (proc(5)).</summary>
    public static string Status(int pid, string name) => File.ReadLines($"/proc/{pid}/status")
        .First(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();

    public void Signal(int signal) => this.process.Signal(signal);

    /// <summary>The status with which the keeper ended, which is the worker's.</summary>
    public Task<int> WaitForExitAsync() => this.process.WaitForExitAsync(Wait.Hang);

    /// <summary>Ends the worker by the end of its input.</summary>
    public Task<int> EndAsync()
    {
        this.process.CloseInput();
        return WaitForExitAsync();
    }

    public ValueTask DisposeAsync() => this.process.DisposeAsync();

    private static async Task<string> BuildAsync()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "native"), binary = Path.Combine(folder, "halves");
        Directory.CreateDirectory(folder);
        await Tool.RunAsync(
            "gcc",
            ["-O1", "-Wall", "-Wextra", "-Werror", "-o", binary, Path.Combine(Repository.Root, "tests", "native", "halves.c"),
                .. Directory.GetFiles(Path.Combine(Repository.Root, "src", "Beyla.Cli", "native"), "*.c")]);
        return binary;
    }
}
