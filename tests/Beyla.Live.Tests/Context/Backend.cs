using System.Net;
using System.Net.Sockets;
using System.Text;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Context;

/// <summary>
/// What the services call: an HTTP server in the test process that responds after 0 to 3 ms, so that responses come in another order
/// than the calls.
/// </summary>
internal sealed class Backend : OwnServer
{
    private Backend(IPAddress address)
        : base(address)
    {
    }

    /// <summary>Starts it on a free port of 127.0.0.1, or of another address.</summary>
    public static Backend Start(IPAddress? address = null)
    {
        Backend backend = new(address ?? IPAddress.Loopback);
        backend.Listen();
        return backend;
    }

    protected override async Task ServeAsync(Socket socket)
    {
        byte[] buffer = new byte[8192];
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
}
