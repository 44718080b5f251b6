using System.Net;
using System.Net.Sockets;

namespace Beyla.Live.Tests.Propagation;

/// <summary>Takes one connection, keeps its bytes, and sends a response for each head that ends in them.</summary>
internal sealed class Sink : IDisposable
{
    private readonly TcpListener listener;
    private readonly byte[] response;
    private readonly byte[] greeting;

    public Sink(byte[] response, bool fastOpen = false, int greeting = 0)
    {
        this.response = response;
        this.greeting = new byte[greeting];
        this.listener = new TcpListener(IPAddress.Loopback, 0);
        if (fastOpen)
        {
            // TCP_FASTOPEN of linux/tcp.h.
            this.listener.Server.SetRawSocketOption(6, 23, BitConverter.GetBytes(16));
        }

        this.listener.Start();
        Received = Task.Run(TakeAsync);
    }

    public int Port => ((IPEndPoint)this.listener.LocalEndpoint).Port;

    /// <summary>All bytes of the connection.</summary>
    public Task<byte[]> Received { get; }

    public void Dispose() => this.listener.Dispose();

    private async Task<byte[]> TakeAsync()
    {
        using Socket connection = await this.listener.AcceptSocketAsync();
        using MemoryStream all = new();
        byte[] buffer = new byte[1 << 18];
        int heads = 0;
        if (this.greeting.Length > 0)
        {
            await connection.SendAsync(this.greeting);
        }

        while (await ReceiveAsync(connection, buffer) is var count and > 0)
        {
            all.Write(buffer, 0, count);
            for (; heads < Count(all.GetBuffer().AsSpan(0, (int)all.Length)); heads++)
            {
                await connection.SendAsync(this.response);
            }
        }

        return all.ToArray();
    }

    private static async Task<int> ReceiveAsync(Socket connection, byte[] buffer)
    {
        try
        {
            return await connection.ReceiveAsync(buffer);
        }
        catch (SocketException)
        {
            // The sender has what it wants, and left the rest.
            return 0;
        }
    }

    private static int Count(ReadOnlySpan<byte> bytes) => bytes.Count("\r\n\r\n"u8);
}
