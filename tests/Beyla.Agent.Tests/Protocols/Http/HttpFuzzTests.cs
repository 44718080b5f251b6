using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Tests.Tracing;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>A million mutated exchanges: no exception, no growth, and every count agrees.</summary>
public class HttpFuzzTests
{
    private const int Exchanges = 1_000_000;

    private static readonly byte[][] Fragments =
    [
        "\r\n"u8.ToArray(), "\r\n\r\n"u8.ToArray(), "HTTP/1.1 200 OK\r\n"u8.ToArray(), "GET / HTTP/1.1\r\n\r\n"u8.ToArray(),
        "0\r\n\r\n"u8.ToArray(), "Content-Length: 3\r\n"u8.ToArray(), "Transfer-Encoding: chunked\r\n"u8.ToArray(),
        "ffffffffffffffff\r\n"u8.ToArray(), " "u8.ToArray(), "Content-Length: 999999999999999999\r\n"u8.ToArray(),
        "HTTP/1.1 100 C\r\n\r\n"u8.ToArray(), "://"u8.ToArray(), "@?"u8.ToArray(), "\0"u8.ToArray(),
    ];

    [Fact]
    public void MutatedExchanges()
    {
        var corpus = HttpCorpus.All.Where(c => c.Steps.Sum(s => s.Data.Length) < 300).ToArray();
        var random = new Random(20261122);
        var sink = new FuzzRun.Sink(SpanAttribute.HttpRequestMethod, 32, isHandlerLast: false);
        var http = new HttpProtocol(new HttpOptions { RequestTimeout = TimeSpan.FromMilliseconds(1), MaxPipelined = 4 }, sink);
        var buffer = new byte[2048];
        var spans = new FuzzRun(http, http.Buffers, sink) { BuffersOfOne = 6 }
            .Play(Exchanges, random, wire => Play(corpus[random.Next(corpus.Length)], wire, random, buffer));
        Assert.InRange(spans.Emitted, Exchanges / 2, 2L * Exchanges);
    }

    private static void Play(HttpCase exchange, Wire wire, Random random, byte[] buffer)
    {
        foreach (var step in exchange.Steps)
        {
            var length = step.Data.Length;
            if (length == 0)
            {
                HttpCutTests.Apply(step, wire);
                continue;
            }

            step.Data.CopyTo(buffer, 0);
            if (random.Next(2) == 0)
            {
                length = Mutations.Apply(buffer, length, Fragments, random);
            }

            var direction = step.Kind == '<' ? SocketDirection.Receive : SocketDirection.Send;
            if (random.Next(60) == 0)
            {
                direction = direction == SocketDirection.Send ? SocketDirection.Receive : SocketDirection.Send;
            }

            var cut = random.Next(4) == 0 ? random.Next(length) : 0;
            Mutations.Write(wire, direction, buffer.AsSpan(0, cut), random);
            Mutations.Write(wire, direction, buffer.AsSpan(cut, length - cut), random);
        }
    }
}
