using System.Net;
using System.Net.Sockets;

namespace Beyla.Live.Tests.Export;

/// <summary>Connections of this process with itself, on a port of 127.0.0.1: so many bytes there and back.</summary>
internal sealed class TcpExchanges : IDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <param name="port">Nobody else's.</param>
    public TcpExchanges(int port)
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(128);
    }

    /// <summary>A connection over which bytes went; both ends are open.</summary>
    public async Task<(Socket Client, Socket Server)> OpenAsync(int there, int back)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        Socket server = await listener.AcceptAsync();
        await SendAsync(client, server, there);
        await SendAsync(server, client, back);
        return (client, server);
    }

    /// <summary>The same so many times one after the other; the client closes first, and then the server.</summary>
    public async Task ExchangeAsync(int times, int there, int back)
    {
        for (int i = 0; i < times; i++)
        {
            (Socket client, Socket server) = await OpenAsync(there, back);
            client.Dispose();
            Assert.Equal(0, await server.ReceiveAsync(new byte[1]));
            server.Dispose();
        }
    }

    /// <summary>Asks for connections on a port where nobody listens.</summary>
    public static async Task RefuseAsync(int port, int times)
    {
        for (int i = 0; i < times; i++)
        {
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            SocketException refusal = await Assert.ThrowsAsync<SocketException>(
                () => client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)));
            Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
        }
    }

    public void Dispose() => listener.Dispose();

    private static async Task SendAsync(Socket from, Socket to, int bytes)
    {
        Task<int> sent = from.SendAsync(new byte[bytes]); // returns when all are on their way
        byte[] buffer = new byte[4096];
        for (int left = bytes; left > 0;)
        {
            int got = await to.ReceiveAsync(buffer.AsMemory(0, Math.Min(left, buffer.Length)));
            Assert.NotEqual(0, got);
            left -= got;
        }

        Assert.Equal(bytes, await sent);
    }
}
