using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Beyla.Live.Tests.Clients;

/// <summary>A connection to Redis on which a test writes and reads bytes as it likes; not traced, it is the test itself.</summary>
internal sealed class RawRedis : IDisposable
{
    private readonly TcpClient client = new() { NoDelay = true };
    private readonly byte[] buffer = new byte[65536];

    /// <summary>Connects.</summary>
    public static async Task<RawRedis> OpenAsync(int port)
    {
        RawRedis connection = new();
        await connection.client.ConnectAsync("127.0.0.1", port);
        return connection;
    }

    /// <summary>The bytes of a command (https://redis.io/docs/latest/develop/reference/protocol-spec/).</summary>
    public static string Command(params string[] words) => string.Create(CultureInfo.InvariantCulture, $"*{words.Length}\r\n")
        + string.Concat(words.Select(word => string.Create(CultureInfo.InvariantCulture, $"${word.Length}\r\n{word}\r\n")));

    /// <summary>Writes by one call, while what comes is read until it ends in a text.</summary>
    /// <returns>What came.</returns>
    public async Task<string> SendAsync(string bytes, string end)
    {
        Task writing = this.client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes)).AsTask();
        string response = await ReadAsync(end);
        await writing;
        return response;
    }

    /// <summary>Writes by one call.</summary>
    public async Task WriteAsync(string bytes) => await this.client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes));

    /// <summary>Reads until what came ends in a text.</summary>
    public async Task<string> ReadAsync(string end)
    {
        using CancellationTokenSource expired = new(TimeSpan.FromSeconds(20));
        StringBuilder response = new();
        while (true)
        {
            int got = await this.client.GetStream().ReadAsync(this.buffer, expired.Token);
            response.Append(Encoding.Latin1.GetString(this.buffer, 0, got));
            int from = Math.Max(0, response.Length - end.Length);
            if (got == 0 || response.ToString(from, response.Length - from) == end)
            {
                return response.ToString();
            }
        }
    }

    public void Dispose() => this.client.Dispose();
}
