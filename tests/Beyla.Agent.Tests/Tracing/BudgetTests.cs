using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>
/// Peers that send and never end cannot take more than the budget: nor by the product of limits each of which holds. Nothing is lost
/// silently, and afterwards all is as before. Alone, since it looks at the memory of the process.
/// </summary>
[Collection(nameof(BudgetTests))]
[CollectionDefinition(nameof(BudgetTests), DisableParallelization = true)]
public class BudgetTests
{
    private const long Budget = 64 << 20;
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    /// <summary>
    /// Three thousand connections with 64 pipelined requests of 7 KB each to a server that does not respond: 958 MB once.
    /// </summary>
    [Fact]
    public void Pipelined_requests_with_long_targets()
    {
        var rig = new BudgetRig();
        var request = Encoding.ASCII.GetBytes("GET /" + new string('x', 7000) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 64; i++)
        {
            for (ulong id = 1; id <= 3000; id++)
            {
                rig.Receive(id, request);
            }

            Assert.InRange(rig.Buffers.Used, 0, Budget);
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, 0, Budget);
        var count = rig.Http.Count();
        Assert.True(count.Balanced);
        Assert.Equal(3000 * 64, count.Produced);
        // Most are lost, but never for want of room that there is.
        Assert.InRange(count.Held, 50_000, 200_000);
        rig.AssertWorks();
        rig.AssertEmptyAfterClosing(3000, before);
    }

    /// <summary>Ten thousand requests that stop after 15 KB, in the middle of a field.</summary>
    [Fact]
    public void Unfinished_heads()
    {
        var rig = new BudgetRig();
        var head = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nX: " + new string('x', 7000));
        var more = Encoding.ASCII.GetBytes(new string('x', 8000));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (ulong id = 1; id <= 10_000; id++)
        {
            rig.Receive(id, head);
            rig.Receive(id, more);
            Assert.InRange(rig.Buffers.Used, 0, Budget);
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, 0, Budget);
        var count = rig.Http.Count();
        Assert.True(count.Balanced);
        Assert.Equal(10_000, count.Produced);
        rig.AssertWorks();
        rig.AssertEmptyAfterClosing(10_000, before);
    }

    /// <summary>Connections that send one byte after the other and never say what they speak.</summary>
    [Fact]
    public void Undecided_connections()
    {
        var rig = new BudgetRig();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 20; i++)
        {
            for (ulong id = 1; id <= 40_000; id++)
            {
                rig.Receive(id, "G"u8);
            }

            Assert.InRange(rig.Buffers.Used, 0, Budget);
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, 0, Budget + (40_000 * 300));
        rig.AssertWorks();
        rig.AssertEmptyAfterClosing(40_000, before);
    }

    [Fact]
    public void Texts_are_shortened_before_anything_is_lost()
    {
        var rig = new BudgetRig();
        var target = "/" + new string('x', 3000) + "?" + new string('y', 3000);
        var request = Encoding.ASCII.GetBytes("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
        for (ulong id = 1; id <= 10_000; id++)
        {
            rig.Receive(id, request);
        }

        Assert.Equal(0, rig.Http.Count().Lost);
        for (ulong id = 1; id <= 10_000; id++)
        {
            rig.Send(id, Encoding.ASCII.GetBytes(Ok));
        }

        Assert.Equal(10_000, rig.Spans.Count);
        var shortened = "/" + new string('x', 92) + "…?" + new string('y', 61) + "…";
        Assert.InRange(rig.Spans.Count(span => span == shortened), 5000, 9999);
        Assert.Equal(10_000, rig.Spans.Count(span => span == shortened || span.Length == 6002));
        rig.AssertEmptyAfterClosing(10_000, GC.GetTotalMemory(forceFullCollection: true));
    }

    /// <summary>What is active stays, whatever the silent ones take.</summary>
    [Fact]
    public void The_silent_are_given_up_first()
    {
        var rig = new BudgetRig();
        rig.Receive(1, "POST /active HTTP/1.1\r\nContent-Length: 1000\r\n\r\n"u8);
        var request = Encoding.ASCII.GetBytes("GET /" + new string('x', 7000) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        for (ulong id = 2; id <= 2000; id++)
        {
            for (var i = 0; i < 64; i++)
            {
                rig.Receive(id, request);
            }

            rig.Time += 2_000_000_000;
            if (id % 5 == 0)
            {
                rig.Receive(1, "x"u8);
            }
        }

        Assert.InRange(rig.Http.Count().Lost, 1, long.MaxValue);
        rig.Send(1, Encoding.ASCII.GetBytes(Ok));
        Assert.Equal(["/active"], rig.Spans);
    }

    [Fact]
    public void What_is_cut_ends_visibly_and_not_within_a_character()
    {
        var buffers = new BufferPool();
        var text = default(ExchangeText);
        Assert.Equal(5, text.AppendShown("abcde"u8, 5, buffers));
        Assert.Equal(6, text.AppendShown("abcdefg"u8, 6, buffers));
        Assert.Equal("abcdeabc…", Encoding.UTF8.GetString(text.All));
        Assert.Equal(4, text.AppendShown("aöööö"u8, 5, buffers));
        Assert.Equal("abcdeabc…a…", Encoding.UTF8.GetString(text.All));
        text.Release(buffers);
        Assert.Equal(0, buffers.Used);
    }

    [Fact]
    public void Pools_let_go_what_is_not_needed()
    {
        var buffers = new BufferPool();
        var objects = new ObjectPool<object>(buffers, 100, static () => new object());
        var rented = Enumerable.Range(0, 64).Select(_ => (Buffer: buffers.Rent(16_000), Object: objects.Rent())).ToArray();
        Assert.Equal((64, 64 * (16_384 + 24 + 100)), (buffers.Outstanding, buffers.Used));
        Array.ForEach(rented, pair =>
        {
            buffers.Return(pair.Buffer);
            objects.Return(pair.Object);
        });
        Assert.Equal((0, 0, 64), (buffers.Outstanding, buffers.Used, objects.Spare));
        for (var second = 1; second < 12; second++)
        {
            buffers.Trim(second * 1_000_000_000L);
            // More often than once a second changes nothing.
            buffers.Trim((second * 1_000_000_000L) + 1000);
        }

        Assert.Equal(0, objects.Spare);
    }

    /// <summary>A tracer of HTTP with one budget, and the positions of many connections.</summary>
    private sealed class BudgetRig : ISpanSink
    {
        private readonly Dictionary<ulong, (uint Received, uint Sent)> positions = [];

        public BudgetRig()
        {
            Http = new HttpProtocol(new HttpOptions(), this, Buffers);
            Tracer = new Tracer(new TracerOptions(), Buffers, new NoVerdicts(), Http);
        }

        public BufferPool Buffers { get; } = new(Budget);

        public HttpProtocol Http { get; }

        public Tracer Tracer { get; }

        public ulong Time { get; set; } = 1_000_000;

        /// <summary>Path and query of each.</summary>
        public List<string> Spans { get; } = [];

        public void OnSpan(in SpanData span)
        {
            string path = Encoding.UTF8.GetString(span.Values.Text(SpanAttribute.UrlPath));
            string query = Encoding.UTF8.GetString(span.Values.Text(SpanAttribute.UrlQuery));
            Spans.Add(query.Length == 0 ? path : path + "?" + query);
        }

        public void Receive(ulong connection, ReadOnlySpan<byte> data) => Move(connection, SocketDirection.Receive, data);

        public void Send(ulong connection, ReadOnlySpan<byte> data) => Move(connection, SocketDirection.Send, data);

        /// <summary>Requests of others are as before.</summary>
        public void AssertWorks()
        {
            Spans.Clear();
            for (ulong id = 1_000_000; id < 1_000_100; id++)
            {
                Receive(id, "GET /works HTTP/1.1\r\nHost: a\r\n\r\n"u8);
                Send(id, Encoding.ASCII.GetBytes(Ok));
                Close(id);
            }

            Assert.Equal(Enumerable.Repeat("/works", 100), Spans);
        }

        /// <summary>When all is closed nothing is in use, and memory is given back.</summary>
        public void AssertEmptyAfterClosing(ulong connections, long before)
        {
            for (ulong id = 1; id <= connections; id++)
            {
                Close(id);
            }

            Assert.Equal((0, 0, 0), (Buffers.Outstanding, Buffers.Used, Tracer.Connections));
            Assert.Equal(0, Http.Count().Held);
            Assert.All(Tracer.Count(), place => Assert.True(place.Balanced, place.ToString()));
            for (var i = 0; i < 20; i++)
            {
                Tracer.Tick(Time += 1_000_000_000);
            }

            // The positions here, the table of connections and its spare objects.
            Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 8 << 20);
        }

        private void Close(ulong connection)
        {
            var e = new SocketEvent { Kind = SocketEventKind.Close, Connection = connection, Time = Time };
            (e.Sequence, e.Opposite) = positions.GetValueOrDefault(connection);
            (e.Direction, e.Sequence, e.Opposite) = (SocketDirection.Send, e.Opposite, e.Sequence);
            Tracer.OnSocketEvent(in e, default);
        }

        private void Move(ulong connection, SocketDirection direction, ReadOnlySpan<byte> data)
        {
            var (received, sent) = positions.GetValueOrDefault(connection);
            var e = new SocketEvent
            {
                Kind = SocketEventKind.Data, Connection = connection, Direction = direction, Time = Time,
                Length = (uint)data.Length, Captured = (ushort)data.Length,
                Sequence = direction == SocketDirection.Send ? sent : received,
                Opposite = direction == SocketDirection.Send ? received : sent,
            };
            positions[connection] = direction == SocketDirection.Send
                ? (received, sent + (uint)data.Length) : (received + (uint)data.Length, sent);
            Tracer.OnSocketEvent(in e, data);
        }
    }
}
