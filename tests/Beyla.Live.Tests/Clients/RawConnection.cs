using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Beyla.Live.Tests.Clients;

/// <summary>A TCP connection on which a test writes and reads bytes as it likes.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket socket;
    private readonly byte[] buffer = new byte[1 << 20];
    private int filled;

    private RawConnection(Socket socket) => this.socket = socket;

    public static async Task<RawConnection> OpenAsync(int port, string address = "127.0.0.1")
    {
        IPAddress to = IPAddress.Parse(address);
        Socket socket = new(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(to, port));
        return new RawConnection(socket);
    }

    public int LocalPort => ((IPEndPoint)this.socket.LocalEndPoint!).Port;

    public async Task SendAsync(byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await this.socket.SendAsync(bytes.AsMemory(sent));
        }
    }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Reads one answer with a head and a body of Content-Length or chunks, or none.</summary>
    /// <returns>Status and body.</returns>
    /// <exception cref="IOException">The connection ended before the answer did.</exception>
    public async Task<(int Status, string Body)> ReadAnswerAsync(bool withoutBody = false)
    {
        int head;
        while ((head = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            await FillAsync();
        }

        string text = Encoding.Latin1.GetString(buffer, 0, head);
        int status = int.Parse(text.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);
        Consume(head + 4);
        string? length = Field(text, "Content-Length");
        if (withoutBody || status is < 200 or 204 or 304)
        {
            return (status, "");
        }

        if (length is not null)
        {
            return (status, await TakeAsync(int.Parse(length, System.Globalization.CultureInfo.InvariantCulture)));
        }

        return Field(text, "Transfer-Encoding") is null ? (status, await ReadToEndAsync()) : (status, await ReadChunksAsync());
    }

    /// <summary>Reads what comes until the other side closes.</summary>
    public async Task<string> ReadToEndAsync()
    {
        try
        {
            while (true)
            {
                await FillAsync();
            }
        }
        catch (IOException)
        {
            return Encoding.Latin1.GetString(buffer, 0, filled);
        }
    }

    /// <summary>Reads exactly so many bytes.</summary>
    public async Task<string> TakeAsync(int length)
    {
        while (filled < length)
        {
            await FillAsync();
        }

        string taken = Encoding.Latin1.GetString(buffer, 0, length);
        Consume(length);
        return taken;
    }

    /// <summary>A request without a body and its answer.</summary>
    /// <returns>The status and the time between the first byte sent and the last received.</returns>
    public async Task<(int Status, TimeSpan Took)> GetAsync(string path, string method = "GET")
    {
        long start = Stopwatch.GetTimestamp();
        await SendAsync($"{method} {path} HTTP/1.1\r\nHost: test.example\r\n\r\n");
        (int status, _) = await ReadAnswerAsync(method == "HEAD");
        return (status, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>Ends the connection with a reset instead of a FIN.</summary>
    public void Reset()
    {
        this.socket.LingerState = new LingerOption(true, 0);
        this.socket.Close();
    }

    public void Dispose() => this.socket.Dispose();

    private async Task<string> ReadChunksAsync()
    {
        StringBuilder body = new();
        while (true)
        {
            int line;
            while ((line = buffer.AsSpan(0, filled).IndexOf("\r\n"u8)) < 0)
            {
                await FillAsync();
            }

            int length = Convert.ToInt32(Encoding.Latin1.GetString(buffer, 0, line), 16);
            Consume(line + 2);
            body.Append(await TakeAsync(length));
            await TakeAsync(2);
            if (length == 0)
            {
                return body.ToString();
            }
        }
    }

    private async Task FillAsync()
    {
        int got;
        try
        {
            got = await this.socket.ReceiveAsync(buffer.AsMemory(filled));
        }
        catch (SocketException e)
        {
            throw new IOException($"The connection ended: {e.Message}", e);
        }

        if (got == 0)
        {
            throw new IOException("The connection ended.");
        }

        filled += got;
    }

    private void Consume(int length)
    {
        Buffer.BlockCopy(buffer, length, buffer, 0, filled - length);
        filled -= length;
    }

    private static string? Field(string head, string name) => head.Split("\r\n")
        .Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
        .FirstOrDefault(pair => pair.Length == 2 && pair[0].Equals(name, StringComparison.OrdinalIgnoreCase))?[1];
}
