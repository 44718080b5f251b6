using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Otlp;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>
/// Retries, limits and the end (OpenTelemetry Protocol specification, "Failures"), with a receiver that does as the test says.
/// </summary>
public sealed class OtlpSenderTests
{
    private static readonly OtlpAnswer Taken = new(OtlpVerdict.Taken), Again = new(OtlpVerdict.Again, Reason: "later"),
        Refused = new(OtlpVerdict.Refused, Reason: "never");

    private static readonly OtlpConfiguration Quick = new()
    {
        Endpoint = new Uri("http://127.0.0.1:1"), FirstBackoff = TimeSpan.FromMilliseconds(20),
        LongestBackoff = TimeSpan.FromMilliseconds(40), GiveUpAfter = TimeSpan.FromSeconds(30),
    };

    [Fact]
    public void What_may_be_tried_again_is_sent_again_as_it_was()
    {
        var receiver = new Receiver(Again, Again, Again, Taken);
        using var sender = new OtlpSender(receiver, Quick, "traces", 100);
        Add(sender, Batch(7, "first"));
        Add(sender, Batch(5, "second"));
        Settle(sender);
        Assert.Equal((12, 0, 0), sender.Count());
        Assert.Equal(["first", "first", "first", "first", "second"], receiver.Bodies);
        // At least half of 20, 40, 40 ms.
        Assert.True(receiver.Times[1] - receiver.Times[0] >= 9, "the first wait");
        Assert.True(receiver.Times[2] - receiver.Times[1] >= 19, "the second wait");
        Assert.True(receiver.Times[3] - receiver.Times[2] >= 19, "the third wait");
    }

    [Fact]
    public void The_receiver_says_when()
    {
        var receiver = new Receiver(Again with { After = TimeSpan.FromMilliseconds(400) }, Taken);
        using var sender = new OtlpSender(receiver, Quick, "traces", 100);
        Add(sender, Batch(1));
        Settle(sender);
        Assert.Equal((1, 0, 0), sender.Count());
        Assert.True(receiver.Times[1] - receiver.Times[0] >= 390, "Retry-After");
    }

    [Fact]
    public void A_receiver_that_wants_it_again_at_once_is_not_flooded()
    {
        var receiver = new Receiver { Otherwise = Again with { After = TimeSpan.Zero } };
        using var sender = new OtlpSender(receiver, Quick with { GiveUpAfter = TimeSpan.FromMilliseconds(300) }, "traces", 100);
        Add(sender, Batch(1));
        Settle(sender);
        Assert.Equal((0, 1, 0), sender.Count());
        // At least half of the first wait, 10 ms, between two of them.
        Assert.InRange(receiver.Bodies.Count, 2, 32);
    }

    [Fact]
    public void Final_errors_are_not_repeated()
    {
        var receiver = new Receiver(Refused, Taken);
        using var sender = new OtlpSender(receiver, Quick, "traces", 100);
        Add(sender, Batch(3, "first"));
        Add(sender, Batch(4, "second"));
        Settle(sender);
        Assert.Equal((4, 3, 0), sender.Count());
        Assert.Equal(["first", "second"], receiver.Bodies);
    }

    [Fact]
    public void It_gives_up_after_the_limit()
    {
        var receiver = new Receiver { Otherwise = Again };
        using var sender = new OtlpSender(receiver, Quick with { GiveUpAfter = TimeSpan.FromMilliseconds(1500) }, "traces", 100);
        var watch = Stopwatch.StartNew();
        Add(sender, Batch(3));
        Settle(sender);
        Assert.Equal((0, 3, 0), sender.Count());
        // It gives up when the next pause, of at most 40 ms, would end later. Pauses are 10 ms at least, and then 20.
        Assert.True(watch.ElapsedMilliseconds >= 1400);
        var tries = receiver.Bodies.Count;
        Assert.InRange(tries, 3, 2 + (1500 / 20));
        // One that wants to be left alone for longer than that is not waited for.
        receiver.Otherwise = Again with { After = TimeSpan.FromHours(1) };
        Add(sender, Batch(4));
        Settle(sender);
        Assert.Equal((0, 7, 0), sender.Count());
        Assert.Equal(tries + 1, receiver.Bodies.Count);
    }

    [Fact]
    public void The_limit_ends_a_request_too()
    {
        // "The maximum time the OTLP exporter will wait for each batch export": retries are part of it.
        var receiver = new Receiver(Again) { Hold = new ManualResetEventSlim(), HoldFrom = 1 };
        using var sender = new OtlpSender(receiver, Quick with { GiveUpAfter = TimeSpan.FromMilliseconds(300) }, "traces", 100);
        var watch = Stopwatch.StartNew();
        Add(sender, Batch(3));
        Settle(sender);
        Assert.True(watch.ElapsedMilliseconds >= 290);
        Assert.Equal((0, 3, 0), sender.Count());
        Assert.Equal(2, receiver.Bodies.Count);
    }

    [Fact]
    public void No_limit_is_for_ever()
    {
        var receiver = new Receiver([.. Enumerable.Repeat(Again, 10), Taken]);
        using var sender = new OtlpSender(receiver, Quick with { GiveUpAfter = TimeSpan.Zero }, "traces", 100);
        Add(sender, Batch(3));
        Settle(sender);
        Assert.Equal((3, 0, 0), sender.Count());
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 2)]
    [InlineData(99, 7)]
    [InlineData(-1, 0)]
    public void Partial_success_is_counted_and_not_sent_again(long rejected, long lost)
    {
        var receiver = new Receiver(new OtlpAnswer(OtlpVerdict.Taken, rejected, "some are bad"));
        using var sender = new OtlpSender(receiver, Quick, "traces", 100);
        Add(sender, Batch(7));
        Settle(sender);
        Assert.Equal((7 - lost, lost, 0), sender.Count());
        Assert.Single(receiver.Bodies);
    }

    [Fact]
    public void Items_that_wait_are_bounded_with_those_on_their_way()
    {
        var receiver = new Receiver { Hold = new ManualResetEventSlim() };
        using var sender = new OtlpSender(receiver, Quick, "traces", 10);
        Add(sender, Batch(4, "1"));
        Assert.True(receiver.Came.Wait(10_000));
        Assert.True(Add(sender, Batch(6, "2")));
        // What there is no room for is not made.
        Assert.False(sender.TryAdd(1, 1, static () => throw new InvalidOperationException("made")));
        Assert.Equal((0, 1, 10), sender.Count());
        receiver.Hold.Set();
        Settle(sender);
        Assert.Equal((10, 1, 0), sender.Count());
        // One that is larger than the limit goes where nothing else waits.
        Add(sender, Batch(11, "4"));
        Settle(sender);
        Assert.Equal((21, 1, 0), sender.Count());
        Assert.Equal(["1", "2", "4"], receiver.Bodies);
    }

    [Fact]
    public void Bytes_that_wait_are_bounded()
    {
        var receiver = new Receiver { Hold = new ManualResetEventSlim() };
        using var sender = new OtlpSender(receiver, Quick, "traces", int.MaxValue);
        var room = OtlpSender.MaximumBytes / 4;
        for (var i = 0; i < 6; i++)
        {
            Add(sender, new OtlpBatch(new byte[room], 10, 1));
        }

        Assert.Equal((0, 2, 4), sender.Count());
        receiver.Hold.Set();
        Settle(sender);
        Add(sender, new OtlpBatch(new byte[OtlpSender.MaximumBytes], 10, 1));
        Settle(sender);
        Assert.Equal((5, 2, 0), sender.Count());
    }

    [Fact]
    public async Task The_end_sends_what_waits_once()
    {
        var receiver = new Receiver { Otherwise = Again, Hold = new ManualResetEventSlim() };
        using var sender = new OtlpSender(receiver, Quick, "traces", 100);
        for (var i = 0; i < 5; i++)
        {
            Add(sender, Batch(2, $"{i}"));
        }

        Assert.True(receiver.Came.Wait(10_000));
        var stop = Task.Run(() => sender.Stop(Environment.TickCount64 + 20_000));
        await Task.Delay(50);
        receiver.Hold.Set();
        await stop.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(["0", "1", "2", "3", "4"], receiver.Bodies);
        Assert.Equal((0, 10, 0), sender.Count());
        Add(sender, Batch(1));
        Assert.Equal((0, 11, 0), sender.Count());
    }

    [Fact]
    public void The_end_does_not_wait_for_the_next_try()
    {
        var receiver = new Receiver(Again with { After = TimeSpan.FromHours(1) });
        using var sender = new OtlpSender(receiver, Quick with { GiveUpAfter = TimeSpan.Zero }, "traces", 100);
        Add(sender, Batch(1, "failed"));
        Assert.True(receiver.Came.Wait(10_000));
        Add(sender, Batch(2, "waits"));
        // Who waited would still wait at the deadline, and lose both.
        sender.Stop(Environment.TickCount64 + 60_000);
        var (sent, lost, held) = sender.Count();
        Assert.Equal((3, 0), (sent + lost, held));
        Assert.True(sent >= 2, "what waited is sent");
    }

    [Fact]
    public void What_is_left_at_the_deadline_is_lost()
    {
        var receiver = new Receiver { Hold = new ManualResetEventSlim() };
        using var sender = new OtlpSender(receiver, Quick, "traces", 100);
        Add(sender, Batch(1));
        Add(sender, Batch(2));
        Assert.True(receiver.Came.Wait(10_000));
        var watch = Stopwatch.StartNew();
        sender.Stop(Environment.TickCount64 + 200);
        Assert.True(watch.ElapsedMilliseconds >= 190);
        Settle(sender);
        Assert.Equal((0, 3, 0), sender.Count());
    }

    [Fact]
    public void The_sum_agrees_at_any_moment()
    {
        var random = new Random(5);
        var receiver = new Receiver { Choose = () => random.Next(4) switch
        {
            0 => Refused,
            1 => Again,
            2 => new OtlpAnswer(OtlpVerdict.Taken, 1),
            _ => Taken,
        } };
        var options = Quick with { FirstBackoff = TimeSpan.FromMilliseconds(1), GiveUpAfter = TimeSpan.FromMilliseconds(20) };
        using var sender = new OtlpSender(receiver, options, "traces", 50);
        long added = 0;
        for (var i = 0; i < 3000; i++)
        {
            var items = 1 + (i % 9);
            Add(sender, Batch(items));
            added += items;
            var (sent, lost, held) = sender.Count();
            Assert.Equal(added, sent + lost + held);
            Assert.InRange(held, 0, 50);
        }

        sender.Stop(Environment.TickCount64 + 10_000);
        var end = sender.Count();
        Assert.Equal((added, 0), (end.Sent + end.Lost, end.Held));
        Assert.True(end.Sent > 0 && end.Lost > 0);
    }

    /// <summary>What is read from a file can wait: nothing is lost for want of room.</summary>
    [Fact]
    public void Who_can_wait_is_held_up()
    {
        var receiver = new Receiver();
        using var sender = new OtlpSender(receiver, Quick, "traces", 3, CancellationToken.None);
        for (var i = 0; i < 500; i++)
        {
            Assert.True(Add(sender, Batch(2, $"{i}")));
        }

        Assert.True(sender.WaitUntilSettled(CancellationToken.None));
        Assert.Equal((1000, 0, 0), sender.Count());
        Assert.Equal(Enumerable.Range(0, 500).Select(static i => $"{i}"), receiver.Bodies);
        Assert.Equal("", sender.LossReason);
    }

    [Fact]
    public void Nobody_waits_longer_than_he_wants()
    {
        var receiver = new Receiver { Hold = new ManualResetEventSlim() };
        using var ended = new CancellationTokenSource();
        using var sender = new OtlpSender(receiver, Quick, "traces", 3, ended.Token);
        Assert.True(Add(sender, Batch(2)));
        Assert.True(receiver.Came.Wait(10_000));
        ended.Cancel();
        Assert.False(sender.WaitUntilSettled(ended.Token));
        Assert.False(Add(sender, Batch(2)));
        receiver.Hold.Set();
        Settle(sender);
        Assert.Equal((2, 2, 0), sender.Count());
    }

    /// <summary>A thousand batches are not tried for a minute each where nobody answers; who answers again is trusted again.</summary>
    [Fact]
    public void Behind_one_that_was_given_up_each_is_tried_once()
    {
        var receiver = new Receiver { Otherwise = Again };
        using var sender = new OtlpSender(
            receiver, Quick with { GiveUpAfter = TimeSpan.FromMilliseconds(200) }, "traces", 100, CancellationToken.None);
        Assert.True(Add(sender, Batch(1, "first")));
        Settle(sender);
        Assert.InRange(receiver.Bodies.Count, 2, 20);
        Assert.Equal("later", sender.LossReason);
        foreach (var name in (string[])["second", "third"])
        {
            Assert.True(Add(sender, Batch(1, name)));
            Settle(sender);
            Assert.Single(receiver.Bodies, name);
        }

        receiver.Otherwise = Taken;
        Assert.True(Add(sender, Batch(1, "fourth")));
        Settle(sender);
        receiver.Otherwise = Again;
        Assert.True(Add(sender, Batch(1, "fifth")));
        Settle(sender);
        Assert.InRange(receiver.Bodies.Count(static name => name == "fifth"), 2, 20);
        Assert.Equal((1, 4, 0), sender.Count());
    }

    private static bool Add(OtlpSender sender, OtlpBatch batch) => sender.TryAdd(batch.Items, batch.Room, () => batch);

    private static OtlpBatch Batch(int items, string text = "x")
    {
        var body = ArrayPool<byte>.Shared.Rent(text.Length);
        var length = System.Text.Encoding.ASCII.GetBytes(text, body);
        return new OtlpBatch(body, length, items);
    }

    private static void Settle(OtlpSender sender) => Assert.True(SpinWait.SpinUntil(() => sender.Count().Held == 0, 20_000));

    private sealed class Receiver(params OtlpAnswer[] answers) : IOtlpTransport
    {
        private readonly ConcurrentQueue<OtlpAnswer> answers = new(answers);

        public string Target => "test";

        public OtlpAnswer Otherwise { get; set; } = Taken;

        public Func<OtlpAnswer>? Choose { get; init; }

        public ManualResetEventSlim? Hold { get; init; }

        /// <summary>Requests that are not held.</summary>
        public int HoldFrom { get; init; }

        public ManualResetEventSlim Came { get; } = new();

        public List<string> Bodies { get; } = [];

        public List<long> Times { get; } = [];

        public OtlpAnswer Send(ReadOnlyMemory<byte> body, CancellationToken limit)
        {
            lock (Bodies)
            {
                Bodies.Add(System.Text.Encoding.ASCII.GetString(body.Span));
                Times.Add(Environment.TickCount64);
            }

            Came.Set();
            try
            {
                if (Bodies.Count > HoldFrom)
                {
                    Hold?.Wait(limit);
                }
            }
            catch (OperationCanceledException)
            {
                return Again;
            }

            return Choose?.Invoke() ?? (answers.TryDequeue(out var answer) ? answer : Otherwise);
        }

        public void Dispose()
        {
        }
    }
}
