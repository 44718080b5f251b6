using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using Beyla.Agent.Export.Prometheus;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Export.Prometheus;

/// <summary>RFC 9112, over real connections.</summary>
public sealed class PageResponderTests : IDisposable
{
    private readonly PageResponder responder = Start(new ResponderOptions());

    public void Dispose() => responder.Dispose();

    [Fact]
    public void A_page_is_answered_whole_with_its_type()
    {
        var (head, body) = Ask("GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.Equal(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nVary: Accept, Accept-Encoding\r\n"
            + "Connection: close\r\nContent-Length: 10\r\n\r\n", head);
        Assert.Equal("page Text\n", body);
    }

    [Fact]
    public void OpenMetrics_is_answered_where_it_is_asked_for()
    {
        var (head, body) = Ask("GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: application/openmetrics-text;version=1.0.0\r\n\r\n");
        Assert.Contains("\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n", head);
        Assert.Equal("page OpenMetrics\n", body);
    }

    [Fact]
    public void A_page_is_compressed_where_it_is_asked_for()
    {
        var bytes = Bytes(responder.Port, "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
        var end = bytes.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        Assert.Contains("\r\nContent-Encoding: gzip\r\n", Encoding.ASCII.GetString(bytes, 0, end));
        using var plain = new StreamReader(new GZipStream(new MemoryStream(bytes[end..]), CompressionMode.Decompress));
        Assert.Equal("page Text\n", plain.ReadToEnd());
    }

    [Fact]
    public void HEAD_has_the_head_of_GET_and_no_body()
    {
        var (head, body) = Ask("HEAD /metrics HTTP/1.0\r\n\r\n");
        Assert.Contains("\r\nContent-Length: 10\r\n", head);
        Assert.Equal("", body);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "404 Not Found")]
    [InlineData("GET /metrics/ HTTP/1.1\r\n\r\n", "404 Not Found")]
    [InlineData("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "405 Method Not Allowed")]
    [InlineData("get /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed")]
    [InlineData("GET /metrics HTTP/2.0\r\n\r\n", "400 Bad Request")]
    [InlineData("GET /metrics\r\n\r\n", "400 Bad Request")]
    [InlineData("\r\n\r\n", "400 Bad Request")]
    [InlineData("\u0016\u0003\u0001\u0002 nonsense\r\n\r\n", "400 Bad Request")]
    public void Anything_else_is_refused(string request, string status)
    {
        var (head, body) = Ask(request);
        Assert.StartsWith($"HTTP/1.1 {status}\r\n", head);
        Assert.Equal(status[4..], body);
        Assert.Equal(
            status.StartsWith("405", StringComparison.Ordinal), head.Contains("\r\nAllow: GET, HEAD\r\n", StringComparison.Ordinal));
    }

    [Fact]
    public void A_head_that_is_too_long_is_refused()
    {
        var filler = new string('a', RequestHead.Longest);
        Assert.StartsWith("HTTP/1.1 431 ", Ask($"GET /metrics HTTP/1.1\r\nX: {filler}\r\n\r\n").Head);
        Assert.StartsWith("HTTP/1.1 200 ", Ask($"GET /metrics HTTP/1.1\r\nX: {filler[..8000]}\r\n\r\n").Head);
    }

    [Fact]
    public void A_request_may_come_byte_by_byte()
    {
        using var client = new TcpClient("127.0.0.1", responder.Port) { NoDelay = true };
        foreach (var b in Encoding.ASCII.GetBytes("GET /metrics HTTP/1.1\r\n\r\n"))
        {
            client.GetStream().WriteByte(b);
            client.GetStream().Flush();
        }

        using var reader = new StreamReader(client.GetStream());
        Assert.EndsWith("page Text\n", reader.ReadToEnd());
    }

    [Fact]
    public void One_that_does_not_speak_is_let_go_and_keeps_nobody_waiting()
    {
        using var slow = Start(new ResponderOptions { Connections = 2, RequestTime = TimeSpan.FromMilliseconds(300) });
        using var first = new TcpClient("127.0.0.1", slow.Port);
        first.GetStream().Write("GET /metrics HT"u8);
        Assert.EndsWith("page Text\n", Encoding.ASCII.GetString(Bytes(slow.Port, "GET /metrics HTTP/1.1\r\n\r\n")));
        using var second = new TcpClient("127.0.0.1", slow.Port);
        // Both places are taken: the next one waits until one of them is free again, and is answered.
        Assert.EndsWith("page Text\n", Encoding.ASCII.GetString(Bytes(slow.Port, "GET /metrics HTTP/1.1\r\n\r\n")));
        Assert.Equal(0, Read(first));
        Assert.Equal(0, Read(second));
    }

    [Fact]
    public void One_that_does_not_read_keeps_nobody_waiting_and_is_let_go()
    {
        using var large = Start(new ResponderOptions { ResponseTime = TimeSpan.FromMilliseconds(500) }, 64 * 1024 * 1024);
        using var lazy = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        lazy.Connect("127.0.0.1", large.Port);
        lazy.Send("GET /metrics HTTP/1.1\r\n\r\n"u8);
        Assert.EndsWith("Not Found", Encoding.ASCII.GetString(Bytes(large.Port, "GET / HTTP/1.1\r\n\r\n")));
        Thread.Sleep(1000);
        var (total, buffer) = (0L, new byte[1 << 20]);
        try
        {
            for (int count; (count = lazy.Receive(buffer)) > 0; total += count)
            {
            }
        }
        catch (SocketException)
        {
        }

        Assert.InRange(total, 1, 63L * 1024 * 1024);
    }

    [Fact]
    public void A_large_page_comes_whole()
    {
        using var large = Start(new ResponderOptions(), 20 * 1024 * 1024);
        var bytes = Bytes(large.Port, "GET /metrics HTTP/1.1\r\n\r\n");
        Assert.Equal(20 * 1024 * 1024, bytes.Length - bytes.AsSpan().IndexOf("\r\n\r\n"u8) - 4);
    }

    [Fact]
    public void Many_at_once_are_all_answered() => Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 20 }, _ =>
        Assert.EndsWith("page Text\n", Encoding.ASCII.GetString(Bytes(responder.Port, "GET /metrics HTTP/1.1\r\n\r\n"))));

    [Fact]
    public void A_port_that_is_taken_is_said() => Assert.Contains("EADDRINUSE", Assert.Throws<KernelException>(
        () => Start(new ResponderOptions { Port = responder.Port })).Message);

    private static int Read(TcpClient client)
    {
        client.ReceiveTimeout = 5000;
        return client.GetStream().Read(new byte[100]);
    }

    private static PageResponder Start(ResponderOptions options, int length = 0) =>
        new(options, new Dictionary<string, IPage> { ["/metrics"] = new Sample(length) });

    private (string Head, string Body) Ask(string request)
    {
        var text = Encoding.ASCII.GetString(Bytes(responder.Port, request));
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        return (text[..end], text[end..]);
    }

    private static byte[] Bytes(int port, string request)
    {
        using var client = new TcpClient("127.0.0.1", port) { ReceiveTimeout = 10_000 };
        client.GetStream().Write(Encoding.Latin1.GetBytes(request));
        using var taken = new MemoryStream();
        client.GetStream().CopyTo(taken);
        return taken.ToArray();
    }

    private sealed class Sample(int length) : IPage
    {
        public void Write(PageBuffer page, PageFormat format)
        {
            if (length > 0)
            {
                page.Room(length)[..length].Fill((byte)'x');
                page.Advance(length);
                return;
            }

            page.Write(Encoding.ASCII.GetBytes($"page {format}\n"));
        }
    }
}
