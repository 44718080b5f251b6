using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>A million mutated exchanges: no exception, no growth, and every count agrees.</summary>
public class HttpFuzzTests
{
    private const int Exchanges = 1_000_000, PerRound = 1000;

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
        var sink = new CountingSink();
        var http = new HttpProtocol(new HttpOptions { RequestTimeout = TimeSpan.FromMilliseconds(1), MaxPipelined = 4 }, sink);
        var tracer = new Tracer(new TracerOptions { MaxConnections = 8, StaleAfter = TimeSpan.FromSeconds(1) }, http);
        var buffer = new byte[2048];
        ulong connection = 0;
        for (var round = 0; round < Exchanges / PerRound; round++)
        {
            for (var i = 0; i < PerRound; i++)
            {
                connection++;
                var wire = new Wire(tracer, connection, (uint)random.Next(), uint.MaxValue - (uint)random.Next(200))
                {
                    Time = connection * 100_000,
                };
                Play(corpus[random.Next(corpus.Length)], wire, random, buffer);
                if (i % 16 == 0)
                {
                    tracer.Tick(wire.Time);
                }

                // Some connections never close: they are evicted or grow stale.
                if (random.Next(50) != 0)
                {
                    wire.Close();
                }
            }

            Assert.InRange(tracer.Connections, 0, 8);
            Assert.InRange(http.Buffers.Outstanding, 0, 8 * 6);
            Assert.All(tracer.Count(), place => Assert.True(place.Balanced, place.ToString()));
        }

        for (var id = connection - PerRound; id <= connection; id++)
        {
            new Wire(tracer, id) { Time = (connection + 1) * 100_000 }.Close();
        }

        tracer.Tick(ulong.MaxValue / 2);
        Assert.Equal(0, tracer.Connections);
        Assert.Equal(0, http.Buffers.Outstanding);
        var spans = http.Count();
        Assert.Equal(sink.Count, spans.Emitted);
        Assert.Equal(0, spans.Held);
        Assert.True(spans.Balanced, spans.ToString());
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

    private sealed class CountingSink : ISpanSink
    {
        public long Count { get; private set; }

        public void OnSpan(in SpanData span)
        {
            Assert.True(span.Start > 0 && span.HandlerStart >= span.Start && span.End >= span.Start, "times out of order");
            Assert.InRange(span.Values.Text(SpanAttribute.HttpRequestMethod).Length, 1, 32);
            Count++;
        }
    }
}
