using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>
/// A fuzz test of a protocol: many short connections of which few are in the table at a time, some of which never close. After each round
/// every count agrees and nothing has grown; at the end nothing is left, and each span was counted.
/// </summary>
/// <param name="protocol">What is tested, the only one of the tracer.</param>
/// <param name="buffers">Its memory budget.</param>
/// <param name="sink">Takes its spans.</param>
internal sealed class FuzzRun(IProtocol protocol, BufferPool buffers, FuzzRun.Sink sink)
{
    private const int PerRound = 1000, Connections = 8;

    private readonly Tracer tracer = new(
        new TracerOptions { MaxConnections = Connections, StaleAfter = TimeSpan.FromSeconds(1) }, buffers, new NoVerdicts(), protocol);

    /// <summary>Connections between two ticks.</summary>
    public int TickEvery { get; init; } = 16;

    /// <summary>Buffers that a connection may have open.</summary>
    public required int BuffersOfOne { get; init; }

    /// <summary>What the kernel side says of a connection.</summary>
    public Func<Random, SocketEventFlags> Flags { get; init; } = static _ => SocketEventFlags.None;

    /// <summary>Plays so many connections.</summary>
    /// <param name="connections">How many, a multiple of 1,000.</param>
    /// <param name="random">Decides.</param>
    /// <param name="play">Plays one on a wire.</param>
    /// <returns>What became of the exchanges.</returns>
    public PlaceCounters Play(int connections, Random random, Action<Wire> play)
    {
        ulong connection = 0;
        for (var round = 0; round < connections / PerRound; round++)
        {
            for (var i = 0; i < PerRound; i++)
            {
                connection++;
                var wire = new Wire(tracer, connection, (uint)random.Next(), uint.MaxValue - (uint)random.Next(200))
                {
                    Time = connection * 100_000,
                    Flags = Flags(random),
                };
                play(wire);
                if (i % TickEvery == 0)
                {
                    tracer.Tick(wire.Time);
                }

                // Some connections never close: they are evicted or grow stale.
                if (random.Next(50) != 0)
                {
                    wire.Close();
                }
            }

            Assert.InRange(tracer.Connections, 0, Connections);
            Assert.InRange(buffers.Outstanding, 0, Connections * BuffersOfOne);
            Assert.All(tracer.Count(), place => Assert.True(place.Balanced, place.ToString()));
        }

        for (var id = connection - PerRound; id <= connection; id++)
        {
            new Wire(tracer, id) { Time = (connection + 1) * 100_000 }.Close();
        }

        tracer.Tick(ulong.MaxValue / 2);
        Assert.Equal((0, 0), (tracer.Connections, buffers.Outstanding));
        var spans = protocol.Count();
        Assert.Equal(sink.Count, spans.Emitted);
        Assert.Equal(0, spans.Held);
        Assert.True(spans.Balanced, spans.ToString());
        return spans;
    }

    /// <summary>Counts spans; their times are in order, and one of their texts is there and bounded.</summary>
    /// <param name="text">Which.</param>
    /// <param name="most">Its longest length, bytes.</param>
    /// <param name="isHandlerLast">The response ends after the handler could begin; else only after the request began.</param>
    internal sealed class Sink(SpanAttribute text, int most, bool isHandlerLast = true) : ISpanSink
    {
        public long Count { get; private set; }

        public void OnSpan(in SpanData span)
        {
            var first = isHandlerLast ? span.HandlerStart : span.Start;
            Assert.True(span.Start > 0 && span.HandlerStart >= span.Start && span.End >= first, "times out of order");
            Assert.InRange(span.Values.Text(text).Length, 1, most);
            Count++;
        }
    }
}
