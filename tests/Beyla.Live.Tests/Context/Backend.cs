using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Beyla.Live.Tests.Context;

/// <summary>
/// What the services call: an HTTP server in the test process that responds after 0 to 3 ms, so that responses come in another order
/// than the calls. No rule of an agent selects it.
/// </summary>
internal sealed class Backend : IAsyncDisposable
{
    private readonly TcpListener listener;

    private Backend(IPAddress address) => this.listener = new TcpListener(address, 0);

    public int Port => ((IPEndPoint)this.listener.LocalEndpoint).Port;

    /// <summary>Starts it on a free port of 127.0.0.1, or of another address.</summary>
    public static Backend Start(IPAddress? address = null)
    {
        Backend backend = new(address ?? IPAddress.Loopback);
        backend.listener.Start(512);
        _ = backend.AcceptAsync();
        return backend;
    }

    public ValueTask DisposeAsync()
    {
        this.listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await this.listener.AcceptSocketAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task ServeAsync(Socket socket)
    {
        using Socket own = socket;
        socket.NoDelay = true;
        byte[] buffer = new byte[8192];
        try
        {
            for (int filled = 0; ;)
            {
                int end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
                if (end < 0)
                {
                    int got = await socket.ReceiveAsync(buffer.AsMemory(filled));
                    if (got == 0)
                    {
                        return;
                    }

                    filled += got;
                    continue;
                }

                string head = Encoding.Latin1.GetString(buffer, 0, end);
                filled -= end + 4;
                buffer.AsSpan(end + 4, filled).CopyTo(buffer);
                string path = head.Split(' ')[1];
                await Task.Delay(Requests.IdOf(path) * 5 % 4);
                bool close = head.Contains("\r\nConnection: close", StringComparison.OrdinalIgnoreCase);
                await socket.SendAsync(Encoding.Latin1.GetBytes(
                    $"HTTP/1.1 200 OK\r\nContent-Length: {path.Length}\r\n{(close ? "Connection: close\r\n" : "")}\r\n{path}"));
                if (close)
                {
                    return;
                }
            }
        }
        catch (SocketException)
        {
            // The service gave the connection up.
        }
    }
}
