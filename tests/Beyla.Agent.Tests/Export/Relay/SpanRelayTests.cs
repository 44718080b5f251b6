using System.Text;
using System.Text.Unicode;
using Beyla.Agent.Counting;
using Beyla.Agent.Export.Relay;
using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Export.Relay;

/// <summary>What goes into the relay comes out on its thread: all of it, in order, or counted as lost.</summary>
public sealed class SpanRelayTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    [Fact]
    public void Spans_come_out_as_they_went_in()
    {
        var random = new Random(20261128);
        var stage = new Stage();
        using var relay = new SpanRelay([stage]);
        var expected = new List<Seen>();
        for (var i = 0; i < 3000; i++)
        {
            var span = AnySpan(random);
            var process = i % 5 == 0 ? Samples.Plain : Samples.Web;
            var (start, duration, handler) = (random.NextInt64(), random.NextInt64(), random.NextInt64());
            var exported = new ExportedSpan(in span) { Process = process, Start = start, Duration = duration, HandlerDuration = handler };
            relay.OnSpan(in exported);
            expected.Add(new Seen(process, start, duration, handler, span with { Values = null! }, Texts(span.Values, isCut: true)));
            if (i % 500 == 0)
            {
                relay.Flush();
                Drain(relay);
            }
        }

        relay.Flush();
        relay.Stop(Long);
        Assert.Equal(expected.Count, stage.Spans.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Same(expected[i].Process, stage.Spans[i].Process);
            Assert.Equal(expected[i].Span, stage.Spans[i].Span); // all fields
            Assert.Equal(expected[i].Values, stage.Spans[i].Values);
            Assert.Equal(expected[i], stage.Spans[i]);
        }

        Assert.Equal(new PlaceCounters("export", "spans", 3000, Emitted: 3000), Assert.Single(relay.Count()));
        Assert.Equal(1, stage.Finished);
    }

    [Fact]
    public void Texts_are_cut_at_their_limit_and_not_within_a_character()
    {
        var stage = new Stage();
        using var relay = new SpanRelay([stage]);
        var limit = SpanAttributes.Of(SpanAttribute.HttpRequestMethod).Limit;
        for (var before = 0; before < 6; before++)
        {
            var text = new string('a', before) + string.Concat(Enumerable.Repeat("😀", limit));
            Add(relay, Samples.Broken.With(SpanAttribute.HttpRequestMethod, text));
        }

        relay.Flush();
        relay.Stop(Long);
        Assert.Equal(6, stage.Spans.Count);
        for (var before = 0; before < 6; before++)
        {
            var text = new string('a', before) + string.Concat(Enumerable.Repeat("😀", (limit - before) / 4));
            Assert.Contains($"HttpRequestMethod={Convert.ToHexString(Encoding.UTF8.GetBytes(text))};", stage.Spans[before].Values);
        }
    }

    [Fact]
    public void The_end_of_a_process_comes_behind_its_spans()
    {
        var random = new Random(4);
        var stage = new Stage();
        using var relay = new SpanRelay([stage], 10 * RelayBlock.Size);
        var alive = new List<ProcessInfo>();
        var (pid, ended) = (0, 0);
        for (var i = 0; i < 30_000; i++)
        {
            switch (random.Next(20))
            {
                case 0 when alive.Count > 0:
                    var gone = alive[random.Next(alive.Count)];
                    alive.Remove(gone);
                    relay.OnEnd(gone);
                    ended++;
                    break;
                case 1:
                    relay.Flush();
                    break;
                default:
                    if (alive.Count < 10)
                    {
                        alive.Add(new ProcessInfo { Pid = ++pid, Executable = "/x" });
                    }

                    Add(relay, Samples.Broken, alive[random.Next(alive.Count)]);
                    break;
            }
        }

        relay.Flush();
        relay.Stop(Long);
        // Also where there was no room for all spans, no end is missing.
        Assert.Equal(ended, stage.Ended.Count);
        Assert.Equal(ended, stage.Ended.Distinct().Count());
        Assert.Equal(0, stage.Late);
        var row = Assert.Single(relay.Count());
        Assert.True(row is { Balanced: true, Held: 0 } && row.Emitted == stage.Spans.Count, row.ToString());
    }

    [Fact]
    public void A_stage_that_stands_still_costs_spans_and_each_is_counted()
    {
        using var gate = new ManualResetEventSlim();
        var stage = new Stage { Gate = gate };
        using var relay = new SpanRelay([stage], 3 * RelayBlock.Size);
        var ends = false;
        var unbalanced = new List<PlaceCounters>();
        var watcher = new Thread(() =>
        {
            while (!Volatile.Read(ref ends))
            {
                var row = Assert.Single(relay.Count());
                if (!row.Balanced)
                {
                    unbalanced.Add(row);
                }
            }
        });
        watcher.Start();
        for (var i = 0; i < 20_000; i++)
        {
            Add(relay, Samples.Broken with { Connection = (ulong)i });
            if (i % 10 == 0)
            {
                relay.Flush();
            }
        }

        relay.OnEnd(Samples.Plain); // needs no room
        relay.Flush();
        var full = Assert.Single(relay.Count());
        Assert.True(full is { Produced: 20_000, Balanced: true, Lost: > 10_000, Held: > 0 }, full.ToString());
        gate.Set();
        Drain(relay);
        Volatile.Write(ref ends, true);
        watcher.Join();
        Assert.Empty(unbalanced);
        // There is room again.
        Add(relay, Samples.Client);
        relay.Flush();
        relay.Stop(Long);
        var row = Assert.Single(relay.Count());
        Assert.Equal((20_001, full.Lost, 0), (row.Produced, row.Lost, row.Held));
        Assert.Equal(row.Emitted, stage.Spans.Count);
        Assert.Single(stage.Ended);
        var order = stage.Spans.SkipLast(1).Select(static seen => seen.Span.Connection).ToList();
        Assert.Equal(order.Order(), order);
    }

    [Fact]
    public void The_end_delivers_all_and_what_comes_later_is_lost()
    {
        var stage = new Stage();
        using var relay = new SpanRelay([stage]);
        for (var i = 0; i < 5000; i++)
        {
            Add(relay, Samples.Client);
        }

        relay.Flush();
        relay.Stop(Long);
        Assert.Equal((5000, 1), (stage.Spans.Count, stage.Finished));
        Add(relay, Samples.Client);
        relay.Flush();
        relay.Stop(Long);
        Assert.Equal(new PlaceCounters("export", "spans", 5001, Emitted: 5000, Lost: 1), Assert.Single(relay.Count()));
        Assert.Equal(1, stage.Finished);
    }

    [Fact]
    public void Spans_that_were_not_flushed_before_the_end_are_counted_too()
    {
        var stage = new Stage();
        using var relay = new SpanRelay([stage]);
        Add(relay, Samples.Client);
        relay.Stop(Long);
        relay.Flush();
        var row = Assert.Single(relay.Count());
        Assert.True(row is { Produced: 1, Balanced: true, Held: 0 }, row.ToString());
    }

    [Fact]
    public void A_span_does_not_wait_for_others_for_long()
    {
        var stage = new Stage();
        using var relay = new SpanRelay([stage]);
        for (var i = 1; i < 4; i++)
        {
            Add(relay, Samples.Client);
            relay.Flush();
            Assert.True(SpinWait.SpinUntil(() => Assert.Single(relay.Count()).Emitted == i, 10_000));
        }
    }

    [Fact]
    public void Stages_are_called_when_they_want_to_be()
    {
        var stage = new Stage { Every = 20 };
        using var relay = new SpanRelay([stage]);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref stage.Ticks) > 10, 10_000));
    }

    [Fact]
    public void A_span_costs_the_tracing_thread_no_memory()
    {
        using var relay = new SpanRelay([new Blind()]);
        SpanData[] spans = [Samples.Client, Samples.Broken, Samples.Postgres, Samples.Redis];
        var least = long.MaxValue;
        for (var round = 0; round < 12; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 400; i++)
            {
                Add(relay, in spans[i % spans.Length], i % 7 == 0 ? Samples.Plain : Samples.Web);
                if (i % 32 == 0)
                {
                    relay.Flush();
                }
            }

            relay.Flush();
            // The least, as Allocation has it; what the drain takes is another thread's.
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Drain(relay);
        }

        Assert.Equal(0, least);
    }

    private static void Add(SpanRelay relay, in SpanData span, ProcessInfo? process = null)
    {
        var exported = new ExportedSpan(in span) { Process = process ?? Samples.Web, Start = 1, Duration = 2, HandlerDuration = 1 };
        relay.OnSpan(in exported);
    }

    private static void Drain(SpanRelay relay) => Assert.True(SpinWait.SpinUntil(() => Assert.Single(relay.Count()).Held == 0, 20_000));

    private static SpanData AnySpan(Random random)
    {
        var values = new SpanValues();
        foreach (var row in SpanAttributes.All)
        {
            if (random.Next(2) == 0)
            {
                continue;
            }

            if (row.IsNumber)
            {
                values.Add(row.Attribute, random.NextInt64(long.MinValue, long.MaxValue));
                continue;
            }

            // Near the limit now and then; Greek letters and bytes that are no text.
            var text = new byte[1 + random.Next(random.Next(10) == 0 ? row.Limit + 8 : Math.Min(40, row.Limit))];
            text.AsSpan().Fill((byte)'x');
            for (var i = 1; i < text.Length; i += 2)
            {
                (text[i - 1], text[i]) = (0xce, 0xb1);
            }

            if (random.Next(3) == 0)
            {
                random.NextBytes(text);
                text[0] = 0xff;
            }

            values.Add(row.Attribute, text);
        }

        var address = new byte[16];
        random.NextBytes(address);
        return new SpanData
        {
            Values = values, Protocol = (ProtocolId)random.Next(4), Kind = (SpanKind)random.Next(2), Outcome = (SpanOutcome)random.Next(5),
            Pid = random.Next(), Tid = random.Next(), NetworkNamespace = (uint)random.NextInt64(), Connection = (ulong)random.NextInt64(),
            Context = new TraceContext
            {
                TraceHigh = (ulong)random.NextInt64(), TraceLow = (ulong)random.NextInt64(), SpanId = (ulong)random.NextInt64(),
                ParentId = (ulong)random.NextInt64(), Source = (ParentSource)random.Next(6), Flags = (byte)random.Next(256),
            },
            Start = random.NextInt64(), HandlerStart = random.NextInt64(), End = random.NextInt64(),
            ClientAddress = Agent.Linux.Address.From(new System.Net.IPAddress(address)), ClientPort = (ushort)random.Next(65536),
            PeerAddress = Samples.At("10.1.2.3"), PeerPort = (ushort)random.Next(65536), IsClientNamed = random.Next(2) == 0,
            ServerAddress = Samples.At("2001:db8::9"), ServerPort = (ushort)random.Next(65536),
        };
    }

    /// <summary>All values of a span in the order of the table; texts cut by the rule of the relay where they went in.</summary>
    private static string Texts(SpanValues values, bool isCut)
    {
        var line = new StringBuilder();
        foreach (var row in SpanAttributes.All.Where(row => values.Has(row.Attribute)))
        {
            line.Append(row.Attribute).Append('=');
            if (row.IsNumber)
            {
                line.Append(values.Number(row.Attribute, 0));
            }
            else
            {
                var text = values.Text(row.Attribute);
                if (isCut && text.Length > row.Limit)
                {
                    // The longest that fits and is whole characters; where it is no text anyway, all that fits.
                    var end = row.Limit;
                    while (end > row.Limit - 4 && !Utf8.IsValid(text[..end]))
                    {
                        end--;
                    }

                    text = text[..(Utf8.IsValid(text[..end]) ? end : row.Limit)];
                }

                line.Append(Convert.ToHexString(text));
            }

            line.Append(';');
        }

        return line.ToString();
    }

    private sealed record Seen(ProcessInfo Process, long Start, long Duration, long HandlerDuration, SpanData Span, string Values);

    private sealed class Blind : IExportStage
    {
        public void OnSpan(in ExportedSpan span)
        {
        }

        public long Tick(long now) => long.MaxValue;

        public void Finish(long deadline)
        {
        }
    }

    private sealed class Stage : IExportStage
    {
        public int Ticks;

        public List<Seen> Spans { get; } = [];

        public List<ProcessInfo> Ended { get; } = [];

        public ManualResetEventSlim? Gate { get; init; }

        public int Finished { get; private set; }

        public int Late { get; private set; }

        public long Every { get; init; } = long.MaxValue;

        public void OnSpan(in ExportedSpan span)
        {
            Gate?.Wait();
            var process = span.Process;
            Late += Ended.Exists(ended => ReferenceEquals(ended, process)) ? 1 : 0;
            Spans.Add(new Seen(
                process, span.Start, span.Duration, span.HandlerDuration, span.Span with { Values = null! },
                Texts(span.Span.Values, isCut: false)));
        }

        public void OnEnd(ProcessInfo process) => Ended.Add(process);

        public long Tick(long now)
        {
            Interlocked.Increment(ref Ticks);
            return Every == long.MaxValue ? Every : now + Every;
        }

        public void Finish(long deadline) => Finished++;
    }
}
