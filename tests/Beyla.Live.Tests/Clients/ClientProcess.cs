using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Clients;

/// <summary>A process that makes requests and is traced as a client. It waits until the test lets it go.</summary>
internal sealed class ClientProcess : IAsyncDisposable
{
    private readonly ChildProcess process;
    private readonly int count;

    private ClientProcess(ChildProcess process, int count)
    {
        this.process = process;
        this.count = count;
    }

    public int Pid => this.process.Pid;

    public static ClientProcess Python(int port, int count, string path) => Script(Tool.Find("python3"), "client.py", port, count, path);

    /// <summary>node, or a copy of it.</summary>
    public static ClientProcess Node(OwnProgram node, int port, int count, string path) =>
        Script(node.Path, "client.js", port, count, path);

    /// <summary>A client whose bytes move by io_uring alone.</summary>
    public static async Task<ClientProcess> UringAsync(int port, int count, string path) =>
        Start(await NativeProgram.BuildAsync("uring-get", "-luring"), [], port, count, path);

    /// <summary>A client that sends and reads in ways of tests/native/ways.c.</summary>
    public static async Task<ClientProcess> WaysAsync(int port, int count, string path, string input, string output) =>
        Start(await NativeProgram.BuildAsync("ways", "-luring"), ["ask"], port, count, path, input, output);

    /// <summary>Lets it make its requests and waits until all are answered.</summary>
    public async Task SendAsync()
    {
        this.process.CloseInput();
        int status = await this.process.WaitForExitAsync(Wait.Hang);
        Assert.True(status == 0, $"The client ended with {status}: {this.process.Errors}");
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"answers {this.count}"), this.process.Output);
    }

    public ValueTask DisposeAsync() => this.process.DisposeAsync();

    private static ClientProcess Script(string interpreter, string script, int port, int count, string path) =>
        Start(interpreter, [Path.Combine(AppContext.BaseDirectory, "Servers", "Scripts", script)], port, count, path);

    private static ClientProcess Start(
        string file, string[] arguments, int port, int count, string path, params string[] more) => new(
        ChildProcess.Start(
            file, [.. arguments, port.ToString(CultureInfo.InvariantCulture), count.ToString(CultureInfo.InvariantCulture), path, .. more]),
        count);
}
