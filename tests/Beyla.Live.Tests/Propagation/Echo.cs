using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Propagation;

/// <summary>An HTTP server in the test process that sends bodies back and keeps what it got.</summary>
internal sealed partial class Echo : OwnServer
{
    public Echo()
        : base(IPAddress.Loopback) => Listen();

    /// <summary>What came.</summary>
    public ConcurrentQueue<Request> Requests { get; } = [];

    protected override async Task ServeAsync(Socket socket)
    {
        await using NetworkStream stream = new(socket);
        for (int number = 0; await ReadHeadAsync(stream) is { Length: > 0 } head; number++)
        {
            byte[] body = await ReadBodyAsync(stream, head);
            bool close = head.Contains("\r\nConnection: close", StringComparison.OrdinalIgnoreCase);
            Requests.Enqueue(new Request(number, [.. Traceparent().Matches(head).Select(match => match.Groups[1].Value)], body.Length));
            string answer = $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n{(close ? "Connection: close\r\n" : "")}\r\n";
            await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(answer), .. body]);
            if (close)
            {
                return;
            }
        }
    }

    private static async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        StringBuilder head = new();
        byte[] one = new byte[1];
        while (await stream.ReadAsync(one) > 0)
        {
            head.Append((char)one[0]);
            if (one[0] == '\n' && head.Length > 3 && head[^3] == '\n')
            {
                return head.ToString();
            }
        }

        return "";
    }

    private static async Task<byte[]> ReadBodyAsync(NetworkStream stream, string head)
    {
        if (!head.Contains("\r\nTransfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
        {
            byte[] body = new byte[int.Parse(Length().Match(head).Groups[1].Value, CultureInfo.InvariantCulture)];
            await stream.ReadExactlyAsync(body);
            return body;
        }

        using MemoryStream all = new();
        for (int size = -1; size != 0;)
        {
            size = int.Parse(await ReadLineAsync(stream), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            byte[] chunk = new byte[size + 2];
            await stream.ReadExactlyAsync(chunk);
            all.Write(chunk, 0, size);
        }

        return all.ToArray();
    }

    private static async Task<string> ReadLineAsync(NetworkStream stream)
    {
        string line = "";
        byte[] one = new byte[1];
        for (; await stream.ReadAsync(one) > 0 && one[0] != '\n'; line += (char)one[0])
        {
        }

        return line.TrimEnd('\r');
    }

    [GeneratedRegex("\r\ntraceparent: (\\S*)(?=\r\n)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Traceparent();

    [GeneratedRegex("\r\nContent-Length: ([0-9]+)\r\n", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Length();

    /// <summary>A request.</summary>
    /// <param name="Number">Which one of its connection; 0 is the first.</param>
    /// <param name="Contexts">The values of its headers <c>traceparent</c>.</param>
    /// <param name="Body">Bytes of its body.</param>
    internal sealed record Request(int Number, IReadOnlyList<string> Contexts, int Body);
}
