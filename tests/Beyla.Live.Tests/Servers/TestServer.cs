using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Servers;

/// <summary>A real server on a free port of this host. It ends with all its processes when disposed.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly ChildProcess process;
    private readonly IDisposable? files;

    private TestServer(int port, ChildProcess process, IDisposable? files)
    {
        Port = port;
        this.process = process;
        this.files = files;
    }

    public int Port { get; }

    /// <summary>The process that was started; others may answer.</summary>
    public int Pid => this.process.Pid;

    public ChildProcess Process => this.process;

    /// <summary>Starts a server that a script or binary of the tests' own runs.</summary>
    /// <param name="address">Where it is asked whether it is ready; null where this host cannot reach it and its first line of output says
    /// so.</param>
    public static async Task<TestServer> StartAsync(
        int port, IReadOnlyList<string> command, string? address = "127.0.0.1",
        IEnumerable<KeyValuePair<string, string>>? environment = null, IDisposable? files = null)
    {
        ChildProcess process = ChildProcess.Start(command[0], command.Skip(1), environment);
        TestServer server = new(port, process, files);
        try
        {
            if (address is not null)
            {
                await Wait.ForPortAsync(address, port, process);
            }
            else if (!await Wait.UntilAsync(() => process.Output.Contains("serving", StringComparison.Ordinal), Wait.Hang))
            {
                throw new InvalidOperationException($"{process.Name} does not serve: {process.Errors}");
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await this.process.DisposeAsync();
        this.files?.Dispose();
    }
}
