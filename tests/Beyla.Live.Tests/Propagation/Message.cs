using System.Text;

namespace Beyla.Live.Tests.Propagation;

/// <summary>What a traced process sends on one connection, call by call, and how many headers that may get.</summary>
internal sealed record Message(string Name, int Headers, params byte[][] Parts)
{
    private const string Get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    private const string Own = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";

    /// <summary>Whether a response is awaited after each part.</summary>
    public bool Lockstep { get; init; }

    /// <summary>The cases of which a wrong one would change what an application says.</summary>
    public static IReadOnlyList<Message> All { get; } =
    [
        new("one write", 1, B(Get)),
        new("HTTP/1.0", 1, B("GET / HTTP/1.0\r\n\r\n")),
        new("100 KB in one write", 1, [.. Post(100_000), .. Noise(100_000)]),
        new("300 KB in one write", 1, [.. Post(300_000), .. Noise(300_000)]),
        new("head and body apart", 1, Post(100_000), Noise(100_000)),
        new("chunks in one write", 1, [.. B("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), .. Chunks()]),
        new("chunks apart", 1, B("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), Chunks()),
        new("a body like a request", 1, [.. Post(Get.Length), .. B(Get)]),
        new("a body like a request, apart", 1, Post(Get.Length), B(Get)),
        new("a head of 6 KB", 1, B("GET /a HTTP/1.1\r\nCookie: " + new string('x', 6000) + "\r\n\r\n")),
        new("a line of 4 KB and a body", 1, [.. B($"GET /{new string('a', 4000)} HTTP/1.1\r\nHost: x\r\n\r\n"), .. Noise(3900)]),
        new("pipelined in one write", 1, B(Get + Get + Get)),
        new("one after the other", 1, B(Get), B(Get), B(Get)) { Lockstep = true },
        new("one after the other without waiting", 1, B(Get), B(Get), B(Get)),
        new("a head in two writes, after the first line", 0, B(Get[..17]), B(Get[17..])),
        new("a head in two writes, in the first line", 0, B(Get[..9]), B(Get[9..])),
        new("byte by byte", 0, [.. B(Get).Select(single => new[] { single })]),
        new("a context of its own", 0, B("GET /a HTTP/1.1\r\n" + Own + "\r\n")),
        new("a context of its own in capitals", 0, B("GET /a HTTP/1.1\r\nA: b\r\nTRACEPARENT" + Own["traceparent".Length..] + "\r\n")),
        new("a context of its own in a second write", 0, B("GET /a HTTP/1.1\r\n"), B(Own + "\r\n")),
        new("a head of 9 KB", 0, B("GET /a HTTP/1.1\r\nCookie: " + new string('x', 9000) + "\r\n\r\n")),
        new("a line of 5 KB", 0, B($"GET /{new string('a', 5000)} HTTP/1.1\r\nHost: x\r\n\r\n")),
        new("lines without CR", 0, B(Get.Replace("\r\n", "\n", StringComparison.Ordinal))),
        new("an empty line first", 0, B("\r\n" + Get)),
        new("a tunnel", 0, B("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n")),
        new("HTTP/2", 0, [.. B("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), .. Noise(50)]),
        new("TLS", 0, [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, .. Noise(500)]),
        new("memcached", 0, B("GET key\r\n")),
        new("Redis", 0, B("*1\r\n$4\r\nPING\r\n")),
        new("RTSP", 0, B("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")),
    ];

    public override string ToString() => Name;

    private static byte[] B(string text) => Encoding.ASCII.GetBytes(text);

    private static byte[] Post(int length) => B($"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");

    /// <summary>The same each time, without an end of a head in it.</summary>
    private static byte[] Noise(int length)
    {
        byte[] noise = new byte[length];
        new Random(1).NextBytes(noise);
        noise.AsSpan().Replace((byte)'\r', (byte)'.');
        return noise;
    }

    private static byte[] Chunks() =>
        [.. Enumerable.Range(0, 20).SelectMany(_ => (byte[])[.. B("1388\r\n"), .. Noise(5000), .. B("\r\n")]), .. B("0\r\n\r\n")];
}
