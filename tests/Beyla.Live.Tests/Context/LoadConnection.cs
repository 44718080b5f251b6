using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Beyla.Live.Tests.Context;

/// <summary>A connection that is opened anew where the server closes it.</summary>
internal sealed class LoadConnection(int port, string address = "127.0.0.1") : IDisposable
{
    private readonly byte[] buffer = new byte[8192];
    private Socket? socket;

    /// <summary>Sends a request and reads its response to the end.</summary>
    public async Task ExchangeAsync(string request, CancellationToken cancellation)
    {
        if (this.socket is null)
        {
            this.socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await this.socket.ConnectAsync(address, port, cancellation);
        }

        await this.socket.SendAsync(Encoding.Latin1.GetBytes(request), cancellation);
        string response = "";
        while (!IsWhole(response))
        {
            int got = await this.socket.ReceiveAsync(this.buffer, cancellation);
            if (got == 0)
            {
                break;
            }

            response += Encoding.Latin1.GetString(this.buffer, 0, got);
        }

        if (!response.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
        {
            throw new IOException($"Port {port} responds to '{request.Split('\r')[0]}' with '{response}'.");
        }

        if (HasClose(request) || HasClose(response) || !response.Contains("Content-Length:", StringComparison.OrdinalIgnoreCase))
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        this.socket?.Dispose();
        this.socket = null;
    }

    private static bool HasClose(string message) => message.Contains("\r\nConnection: close\r\n", StringComparison.OrdinalIgnoreCase);

    private static bool IsWhole(string response)
    {
        int head = response.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        const string field = "\r\nContent-Length:";
        int length = head < 0 ? -1 : response.IndexOf(field, 0, head, StringComparison.OrdinalIgnoreCase);
        if (length >= 0)
        {
            string value = response[(length + field.Length)..].Split('\r')[0];
            return response.Length == head + 4 + int.Parse(value, NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
        }

        return head >= 0 && response.Contains("\r\nTransfer-Encoding:", StringComparison.OrdinalIgnoreCase)
            && response.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
    }
}
