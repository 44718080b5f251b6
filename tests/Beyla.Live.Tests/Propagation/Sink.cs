using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Beyla.Live.Tests.Propagation;

/// <summary>Takes one connection, keeps its bytes, and sends a response for each head that ends in them.</summary>
internal sealed class Sink : IDisposable
{
    private readonly TcpListener listener;
    private readonly byte[] response;
    private readonly byte[] greeting;

    public Sink(byte[] response, bool fastOpen = false, int greeting = 0, string? key = null)
    {
        this.response = response;
        this.greeting = new byte[greeting];
        this.listener = new TcpListener(IPAddress.Loopback, 0);
        if (fastOpen)
        {
            // TCP_FASTOPEN of linux/tcp.h.
            this.listener.Server.SetRawSocketOption(6, 23, BitConverter.GetBytes(16));
        }

        if (key is not null)
        {
            // TCP_MD5SIG.
            this.listener.Server.SetRawSocketOption(6, 14, SignedBy(key));
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

    /// <summary>
    /// struct tcp_md5sig of linux/tcp.h for what comes from 127.0.0.1: address (128 bytes), flags, prefix, length of the key, interface,
    /// key.
    /// </summary>
    private static byte[] SignedBy(string key)
    {
        byte[] option = new byte[128 + 8 + 80];
        BitConverter.TryWriteBytes(option, (ushort)AddressFamily.InterNetwork);
        IPAddress.Loopback.TryWriteBytes(option.AsSpan(4), out _);
        BitConverter.TryWriteBytes(option.AsSpan(130), (ushort)key.Length);
        Encoding.ASCII.GetBytes(key, option.AsSpan(136));
        return option;
    }

    private static int Count(ReadOnlySpan<byte> bytes) => bytes.Count("\r\n\r\n"u8);
}
