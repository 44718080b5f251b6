using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Redis;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Redis;

/// <summary>What thousands of connections keep: little when they are quiet, and never more than the budget.</summary>
public class RedisMemoryTests
{
    [Fact]
    public void QuietConnectionsAreSmall()
    {
        const int Connections = 10_000;
        var rig = new Quiet();
        var before = rig.Buffers.Used;
        for (ulong i = 1; i <= Connections; i++)
        {
            var wire = rig.Connect(i);
            wire.Receive(RedisRig.Command("GET", "key"));
            wire.Send("$-1\r\n");
        }

        Assert.Equal(Connections, rig.Tracer.Connections);
        Assert.Equal(0, rig.Buffers.Outstanding);
        Assert.Equal((long)Connections * RedisConversation.Size, rig.Buffers.Used - before);
    }

    [Fact]
    public void PipelinesThatNobodyAnswersStayWithinTheBudget()
    {
        var rig = new Quiet();
        var long32 = RedisRig.Command(["DEL", .. Enumerable.Range(0, 32).Select(_ => new string('k', 128))]);
        for (ulong i = 1; i <= 100; i++)
        {
            var wire = rig.Connect(i);
            for (var n = 0; n < 2000; n += 10)
            {
                wire.Receive(string.Concat(Enumerable.Repeat(long32, 10)));
                Assert.InRange(rig.Buffers.Used, 0, BufferPool.DefaultLimit);
            }
        }

        for (ulong i = 1; i <= 100; i++)
        {
            rig.Connect(i).Close();
        }

        Assert.Equal(0, rig.Tracer.Connections);
        Assert.Equal(0, rig.Buffers.Outstanding);
        Assert.Equal(0, rig.Redis.Count().Held);
        Assert.All(rig.Tracer.Count(), place => Assert.True(place.Balanced, place.ToString()));
    }

    /// <summary>Commands that wait for their response are cut when memory gets tight, and so are later ones.</summary>
    [Fact]
    public void LongCommandsAreShortenedBeforeAnythingIsLost()
    {
        const long Budget = 4 << 20;
        var rig = new Quiet(Budget);
        var command = RedisRig.Command(["DEL", .. Enumerable.Range(0, 24).Select(i => $"key {i:d2}" + new string('k', 60))]);
        List<Wire> wires = [];
        for (ulong i = 1; i <= 1200; i++)
        {
            wires.Add(rig.Connect(i));
            wires[^1].Receive(command);
            Assert.InRange(rig.Buffers.Used, 0, Budget);
        }

        Assert.Equal(0, rig.Redis.Count().Lost);
        foreach (var wire in wires)
        {
            wire.Send("-ERR no\r\n");
            wire.Close();
        }

        var whole = "DEL " + string.Join(' ', Enumerable.Range(0, 24).Select(i => $"\"key {i:d2}" + new string('k', 60) + '"'));
        Assert.Equal(1200, rig.Texts.Count);
        Assert.InRange(rig.Texts.Count(t => t == whole), 1, 600);
        Assert.InRange(rig.Texts.Count(t => t.EndsWith("...", StringComparison.Ordinal) && t.Length <= 195), 600, 1199);
        Assert.All(rig.Texts, t => Assert.StartsWith(t.EndsWith("...", StringComparison.Ordinal) ? t[..^3].TrimEnd() : t, whole,
            StringComparison.Ordinal));
        Assert.Equal(["ERR"], rig.Statuses.Distinct());
        Assert.Equal((0, 0L), (rig.Buffers.Outstanding, rig.Buffers.Used));
    }

    private sealed class Quiet : ISpanSink
    {
        public Quiet(long budget = BufferPool.DefaultLimit)
        {
            Buffers = new BufferPool(budget);
            Redis = new RedisProtocol(new RedisOptions(), this, Buffers);
            Tracer = new Tracer(new TracerOptions(), Buffers, new NoVerdicts(), Redis);
        }

        public BufferPool Buffers { get; }

        public List<string> Texts { get; } = [];

        public List<string> Statuses { get; } = [];

        public RedisProtocol Redis { get; }

        public Tracer Tracer { get; }

        public Wire Connect(ulong id) => new(Tracer, id) { Flags = SocketEventFlags.Fresh, Capture = static length => length };

        public void OnSpan(in SpanData span)
        {
            Texts.Add(Encoding.UTF8.GetString(span.Values.Text(SpanAttribute.DbQueryText)));
            Statuses.Add(Encoding.UTF8.GetString(span.Values.Text(SpanAttribute.DbResponseStatusCode)));
        }
    }
}
