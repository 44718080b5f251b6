using System.Net.Sockets;
using System.Text;

namespace Beyla.Live.Tests.Clients;

/// <summary>
/// A connection to MariaDB on which a test sends one command at a time, as bytes (MariaDB's documentation, "Client/Server Protocol"); not
/// traced, it is the test itself.
/// </summary>
internal sealed class RawMySql : IDisposable
{
    /// <summary>Codes of commands.</summary>
    public const int Query = 3, Ping = 14, Prepare = 22;

    /// <summary>CLIENT_LONG_PASSWORD, CLIENT_CONNECT_WITH_DB, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION.</summary>
    private const uint Capabilities = 1 | 8 | 0x200 | 0x8000;

    private readonly TcpClient client = new() { NoDelay = true };
    private readonly byte[] buffer = new byte[1 << 16];

    /// <summary>Connects as root, without a password.</summary>
    public static async Task<RawMySql> OpenAsync(int port, string database)
    {
        RawMySql connection = new();
        await connection.client.ConnectAsync("127.0.0.1", port);
        await connection.ReadPacketAsync();
        List<byte> login = [.. BitConverter.GetBytes(Capabilities), .. BitConverter.GetBytes(1 << 24), 33, .. new byte[23]];
        login.AddRange(Encoding.ASCII.GetBytes($"root\0\0{database}\0"));
        await connection.WriteAsync([.. Header(login.Count, 1), .. login]);
        Assert.Equal(0, (await connection.ReadPacketAsync())[0]);
        return connection;
    }

    /// <summary>Sends a command by one call, and reads its response.</summary>
    /// <returns>The first byte of the response: 0 is OK, 255 an error, else rows follow.</returns>
    public async Task<byte> RunAsync(int command, string text = "")
    {
        byte[] payload = [(byte)command, .. Encoding.UTF8.GetBytes(text)];
        await WriteAsync([.. Header(payload.Length, 0), .. payload]);
        byte[] first = await ReadPacketAsync();
        if (command == Query && first[0] is not (0 or 255))
        {
            // Columns until one end-of-file packet, rows until the other.
            for (int ends = 0; ends < 2;)
            {
                byte[] packet = await ReadPacketAsync();
                ends += packet[0] == 254 && packet.Length < 9 ? 1 : 0;
            }
        }
        else if (command == Prepare && first[0] == 0)
        {
            // Two lists, of columns and of parameters, each with an end of its own where it is not empty.
            int lists = (first[5] | first[6] << 8) > 0 ? 1 : 0;
            lists += (first[7] | first[8] << 8) > 0 ? 1 : 0;
            for (int ends = 0; ends < lists;)
            {
                ends += (await ReadPacketAsync())[0] == 254 ? 1 : 0;
            }
        }

        return first[0];
    }

    public void Dispose() => this.client.Dispose();

    private static byte[] Header(int length, byte number) => [(byte)length, (byte)(length >> 8), (byte)(length >> 16), number];

    private async Task WriteAsync(byte[] bytes) => await this.client.GetStream().WriteAsync(bytes);

    private async Task<byte[]> ReadPacketAsync()
    {
        using CancellationTokenSource expired = new(TimeSpan.FromSeconds(20));
        NetworkStream stream = this.client.GetStream();
        await stream.ReadExactlyAsync(this.buffer.AsMemory(0, 4), expired.Token);
        byte[] packet = new byte[this.buffer[0] | this.buffer[1] << 8 | this.buffer[2] << 16];
        await stream.ReadExactlyAsync(packet, expired.Token);
        return packet;
    }
}
