using System.Net;
using System.Net.Sockets;

namespace Beyla.Live.Tests.Servers;

/// <summary>A server in the test process, on a free port; no rule of an agent selects it.</summary>
internal abstract class OwnServer : IAsyncDisposable
{
    private readonly TcpListener listener;

    /// <param name="address">Where it listens.</param>
    protected OwnServer(IPAddress address) => this.listener = new TcpListener(address, 0);

    public int Port => ((IPEndPoint)this.listener.LocalEndpoint).Port;

    public ValueTask DisposeAsync()
    {
        this.listener.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Begins to take connections; once, when what serves them is made.</summary>
    protected void Listen()
    {
        this.listener.Start(512);
        _ = AcceptAsync();
    }

    /// <summary>Serves a connection to its end, which may come at any moment.</summary>
    protected abstract Task ServeAsync(Socket socket);

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeToEndAsync(await this.listener.AcceptSocketAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeToEndAsync(Socket socket)
    {
        using Socket own = socket;
        socket.NoDelay = true;
        try
        {
            await ServeAsync(socket);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The client gave the connection up.
        }
    }
}
