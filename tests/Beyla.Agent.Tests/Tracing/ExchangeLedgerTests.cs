using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>What every protocol gets from the ledger: each exchange is reported once or lost, in time, and used again.</summary>
public class ExchangeLedgerTests
{
    private readonly Sink sink = new();
    private readonly Owner owner = new();
    private readonly Connection connection = new() { RequestDirection = SocketDirection.Receive };
    private readonly ExchangeLedger<Note> ledger;

    public ExchangeLedgerTests() => ledger = Ledger(TimeSpan.FromSeconds(2));

    [Fact]
    public void Each_exchange_is_reported_once()
    {
        var note = ledger.Create(owner, 1000);
        note.Pid = 42;
        Assert.Equal((1, 0, 0, 1), Counts());
        Assert.True(ledger.Begin(note));
        ledger.Values.Add(SpanAttribute.DbSystemName, "redis"u8);
        ledger.Report(note, connection, SpanOutcome.Complete, 3000);
        Assert.Equal(["Redis Server Complete 42 1000 1000 3000 redis"], sink.Spans);
        Assert.False(ledger.Begin(note));
        ledger.Lose(note);
        ledger.Return(note);
        Assert.Equal((1, 1, 0, 0), Counts());
        Assert.Equal(0, ledger.Buffers.Used);
    }

    [Fact]
    public void Values_are_those_of_one_span()
    {
        for (var i = 0; i < 3; i++)
        {
            var note = ledger.Create(owner, 1000);
            Assert.True(ledger.Begin(note));
            Assert.Equal(0, ledger.Values.Count);
            ledger.Values.Add(SpanAttribute.DbSystemName, "redis"u8);
            ledger.Report(note, connection, SpanOutcome.Complete, 3000);
            ledger.Return(note);
        }
    }

    [Fact]
    public void A_message_without_a_response_is_reported_at_once()
    {
        var note = ledger.Create(owner, 1000);
        note.LastSeen = 1500;
        Assert.True(ledger.Begin(note));
        ledger.Values.Add(SpanAttribute.DbSystemName, "redis"u8);
        ledger.ReportOneWay(note, connection);
        Assert.Equal(["Redis Server Complete 0 1000 1000 1500 redis"], sink.Spans);
        Assert.Equal((1, 1, 0, 0), Counts());
        Assert.Equal(long.MaxValue, ledger.Due);
        Assert.Equal(0, ledger.Buffers.Used);
    }

    [Fact]
    public void What_is_given_up_is_lost_once()
    {
        var note = ledger.Create(owner, 1000);
        ledger.Lose(note);
        ledger.Lose(note);
        Assert.False(ledger.Begin(note));
        ledger.CountUnread();
        Assert.Equal((2, 0, 2, 0), Counts());
        Assert.Null(ledger.CountUnseen());
        ledger.CountUnseen(70);
        Assert.Equal(new PlaceCounters("requests.redis", "bytes", 70, Lost: 70), ledger.CountUnseen());
    }

    [Fact]
    public void The_time_limit_ends_in_the_order_of_the_beginnings()
    {
        var notes = Enumerable.Range(0, 4).Select(i => ledger.Create(owner, i * 1_000_000_000L)).ToArray();
        ledger.StopTimer(notes[1]);
        ledger.StopTimer(notes[1]);
        Assert.Equal(2_000_000_000, ledger.Due);
        ledger.Tick(1_999_999_999);
        Assert.Empty(owner.TimedOut);
        ledger.Tick(4_000_000_000);
        Assert.Equal([(notes[0], 2_000_000_000), (notes[2], 4_000_000_000)], owner.TimedOut);
        Assert.Equal(5_000_000_000, ledger.Due);
        ledger.Return(notes[3]);
        Assert.Equal(long.MaxValue, ledger.Due);
    }

    [Fact]
    public void Without_a_time_limit_nothing_is_due()
    {
        var endless = Ledger(TimeSpan.Zero);
        _ = endless.Create(owner, 1000);
        endless.Tick(long.MaxValue / 2);
        Assert.Equal(long.MaxValue, endless.Due);
        Assert.Empty(owner.TimedOut);
    }

    [Fact]
    public void Objects_are_used_again_and_hold_nothing()
    {
        var note = ledger.Create(owner, 1000);
        (note.Pid, note.Tid, note.HandlerStart, note.LastSeen, note.HasGap, note.Id) = (1, 2, 3, 4, true, 5);
        _ = note.Text.Append("text"u8, ledger.Buffers);
        Assert.Equal(1, ledger.Buffers.Outstanding);
        ledger.Return(note);
        Assert.Equal(0, ledger.Buffers.Outstanding);
        var again = ledger.Create(owner, 7);
        Assert.Same(note, again);
        Assert.Equal((7, 0, 0, 0, 0, 0), (again.Start, again.Pid, again.Tid, again.HandlerStart, again.LastSeen, again.Id));
        Assert.Equal((false, false, 0), (again.HasGap, again.IsReported, again.Text.Length));
    }

    [Fact]
    public void The_queue_has_the_order_of_the_requests()
    {
        var queue = default(ExchangeQueue<Note>);
        var notes = Enumerable.Range(0, 3).Select(i => queue.Open(ledger, owner, i)!).ToArray();
        Assert.Same(notes[0], queue.First);
        Assert.Same(notes[1], notes[0].Next);
        Assert.True(queue.Close(notes[0], ledger));
        Assert.Same(notes[1], queue.First);
        Assert.True(queue.Close(notes[1], ledger));
        Assert.True(queue.Close(notes[2], ledger));
        Assert.Equal((null, null, 0), (queue.First, queue.Last, queue.Count));
        Assert.NotNull(queue.Open(ledger, owner, 9));
    }

    [Theory]
    [InlineData(0, "12")]
    [InlineData(1, "02")]
    [InlineData(2, "01")]
    public void Responses_can_tell_whose_they_are(int taken, string left)
    {
        var queue = default(ExchangeQueue<Note>);
        for (var i = 0; i < 3; i++)
        {
            queue.Open(ledger, owner, i)!.Id = i;
        }

        queue.Take(queue.Find(taken)!, ledger);
        Assert.Null(queue.Find(taken));
        Assert.Null(queue.Find(17));
        queue.Open(ledger, owner, 3)!.Id = 3;
        var order = "";
        while (queue.First is { } first)
        {
            order += first.Id;
            queue.Take(first, ledger);
        }

        Assert.Equal(left + "3", order);
    }

    [Fact]
    public void What_has_no_room_is_counted_and_its_response_passed_over()
    {
        var queue = default(ExchangeQueue<Note>);
        var narrow = new ExchangeLedger<Note>(ProtocolId.Redis, new LedgerOptions { MaxPipelined = 2 }, ledger.Buffers, sink);
        var first = queue.Open(narrow, owner, 1)!;
        var second = queue.Open(narrow, owner, 2)!;
        Assert.Null(queue.Open(narrow, owner, 3));
        Assert.Null(queue.Open(narrow, owner, 4));
        Assert.True(queue.Close(first, narrow));
        var fifth = queue.Open(narrow, owner, 5)!;
        // The responses to 2, 3, 4, then to 5.
        Assert.False(queue.Close(second, narrow));
        Assert.False(queue.Close(second, narrow));
        Assert.True(queue.Close(second, narrow));
        Assert.Same(fifth, queue.First);
        queue.Release(narrow);
        Assert.Equal(new PlaceCounters("exchanges.redis", "spans", 5, Lost: 5), narrow.Count());
        Assert.Equal(0, ledger.Buffers.Used);
    }

    private ExchangeLedger<Note> Ledger(TimeSpan timeout) =>
        new(ProtocolId.Redis, new LedgerOptions { RequestTimeout = timeout }, new BufferPool(), sink);

    private (long Produced, long Emitted, long Lost, long Held) Counts()
    {
        var count = ledger.Count();
        Assert.True(count.Balanced);
        return (count.Produced, count.Emitted, count.Lost, count.Held);
    }

    private sealed class Note : Exchange
    {
    }

    private sealed class Owner : Conversation
    {
        public List<(Exchange, long)> TimedOut { get; } = [];

        public override bool IsIdle => true;

        public override void OnData(ref Segment segment)
        {
        }

        public override void OnGap(SocketDirection direction, uint from, uint until, long time)
        {
        }

        public override void OnSendShut(long time)
        {
        }

        public override void OnClose(long time)
        {
        }

        public override void OnStale()
        {
        }

        public override void OnEvict()
        {
        }

        public override void OnTimeout(Exchange exchange, long time) => TimedOut.Add((exchange, time));

        public override void Release()
        {
        }
    }

    private sealed class Sink : ISpanSink
    {
        public List<string> Spans { get; } = [];

        public void OnSpan(in SpanData span) => Spans.Add(
            $"{span.Protocol} {span.Kind} {span.Outcome} {span.Pid} {span.Start} {span.HandlerStart} {span.End} "
                + System.Text.Encoding.ASCII.GetString(span.Values.Text(SpanAttribute.DbSystemName)));
    }
}
