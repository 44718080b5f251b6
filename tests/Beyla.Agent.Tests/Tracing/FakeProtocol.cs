using System.Text;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>
/// A protocol whose connections begin with one word. Its conversations write down what they get; a dot ends an exchange, after which they
/// are idle, and an exclamation mark hands over what follows it.
/// </summary>
internal sealed class FakeProtocol(ProtocolId id, string word) : IProtocol
{
    private readonly byte[] word = Encoding.ASCII.GetBytes(word);

    /// <summary>What the conversations got: direction, bytes with those that passed unseen, tail, gaps.</summary>
    public List<string> Log { get; } = [];

    /// <summary>Time and pid of each segment.</summary>
    public List<(long Time, int Pid)> Times { get; } = [];

    /// <summary>What was asked: the bytes, "+n" for those behind them, and what is known.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Where an exclamation mark leads to.</summary>
    public ProtocolId Next { get; set; } = ProtocolId.Foreign;

    /// <summary>Conversations that were released.</summary>
    public int Released { get; private set; }

    /// <summary>How often the time was told.</summary>
    public int Ticks { get; private set; }

    public ProtocolId Id => id;

    public long Due { get; set; } = long.MaxValue;

    public Confirmation Confirm(in Opening opening)
    {
        var data = opening.Data;
        Asked.Add(Encoding.ASCII.GetString(data) + (opening.Length > data.Length ? $"+{opening.Length - data.Length}" : "")
            + (opening.IsFresh ? " fresh" : "") + (opening.IsKnown ? " known" : ""));
        return data.StartsWith(word) || (opening.IsKnown && data.StartsWith(word.AsSpan(0, 1))) ? Confirmation.Yes
            : word.AsSpan().StartsWith(data) && opening.Length == data.Length ? Confirmation.Undecided
            : Confirmation.No;
    }

    public Conversation Open(Connection connection)
    {
        Log.Add("open");
        return new Talk(this, connection);
    }

    public void Tick(long now) => Ticks++;

    public PlaceCounters Count() => new("exchanges", "spans", 0);

    public PlaceCounters? CountUnseen() => null;

    private sealed class Talk(FakeProtocol protocol, Connection connection) : Conversation
    {
        private bool isIdle = true;

        public override bool IsIdle => isIdle;

        public override void OnData(ref Segment segment)
        {
            var text = Encoding.ASCII.GetString(segment.Data);
            protocol.Log.Add($"{(segment.Direction == SocketDirection.Send ? '>' : '<')}{(segment.IsAligned ? "|" : "")}{text}"
                + (segment.Unseen > 0 ? $"+{segment.Unseen}" : "") + (segment.Unwalked > 0 ? $"({segment.Unwalked})" : "")
                + (segment.Tail.IsEmpty ? "" : $" tail={Encoding.ASCII.GetString(segment.Tail)}"));
            protocol.Times.Add((segment.Time, segment.Pid));
            connection.RequestDirection ??= segment.Direction;
            isIdle = text.EndsWith('.');
            var mark = text.IndexOf('!', StringComparison.Ordinal);
            if (mark < 0)
            {
                segment.SkipAll();
                return;
            }

            segment.Skip(mark + 1);
            connection.HandOver(protocol.Next);
        }

        public override void OnGap(SocketDirection direction, uint from, uint until, long time) =>
            protocol.Log.Add($"gap {direction} {until - from}");

        public override void OnSendShut(long time) => protocol.Log.Add("shut");

        public override void OnClose(long time) => protocol.Log.Add("close");

        public override void OnStale() => protocol.Log.Add("stale");

        public override void OnEvict() => protocol.Log.Add("evict");

        public override void Release() => protocol.Released++;
    }
}

/// <summary>Writes down what the kernel side is told.</summary>
internal sealed class VerdictLog : IVerdicts
{
    public List<(ulong Connection, ProtocolId Protocol)> Told { get; } = [];

    public void Tell(ulong connection, ProtocolId protocol) => Told.Add((connection, protocol));
}

/// <summary>A tracer with two such protocols, as HTTP and as Redis.</summary>
internal sealed class FakeRig
{
    public FakeRig()
    {
        Tracer = new Tracer(new TracerOptions(), Buffers, Verdicts, First, Second);
        Wire = new Wire(Tracer);
    }

    public FakeProtocol First { get; } = new(ProtocolId.Http, "first");

    public FakeProtocol Second { get; } = new(ProtocolId.Redis, "firm");

    public VerdictLog Verdicts { get; } = new();

    public BufferPool Buffers { get; } = new();

    public Tracer Tracer { get; }

    public Wire Wire { get; }

    /// <summary>Counters of events: aggregated and filtered.</summary>
    public (long Used, long Filtered) Events
    {
        get
        {
            var events = Tracer.Count().First();
            Assert.True(events.Balanced);
            return (events.Aggregated, events.Filtered);
        }
    }

    /// <summary>Nothing is followed and nothing is kept.</summary>
    public void AssertEmpty()
    {
        Assert.Equal(0, Tracer.Connections);
        Assert.Equal(0, Buffers.Outstanding);
        Assert.Equal(0, Buffers.Used);
    }
}
