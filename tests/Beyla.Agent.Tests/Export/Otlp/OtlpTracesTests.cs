using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>Spans are gathered, sent when there are enough or it is time, and each is counted.</summary>
public sealed class OtlpTracesTests
{
    [Fact]
    public void A_batch_goes_when_it_is_full_or_when_it_is_time()
    {
        var receiver = new Receiver();
        using var traces = Make(receiver, options => options with { BatchSize = 3, BatchDelay = TimeSpan.FromSeconds(1) });
        for (var i = 0; i < 4; i++)
        {
            Add(traces, Samples.Client);
        }

        Assert.True(SpinWait.SpinUntil(() => receiver.Requests.Count == 1, 10_000));
        var now = Environment.TickCount64;
        Assert.InRange(traces.Tick(now), now, now + 1000);
        AssertCounts(traces, 4, sent: 3, held: 1);
        Assert.Equal(long.MaxValue, traces.Tick(now + 1001));
        Assert.True(SpinWait.SpinUntil(() => receiver.Requests.Count == 2, 10_000));
        AssertCounts(traces, 4, sent: 4);
        Assert.Equal(long.MaxValue, traces.Tick(now + 5000));
        // The end sends the rest.
        Add(traces, Samples.Broken);
        traces.Finish(Environment.TickCount64 + 10_000);
        Assert.Equal(3, receiver.Requests.Count);
        AssertCounts(traces, 5, sent: 5);
    }

    [Theory]
    [InlineData("*", 4)]
    [InlineData("http", 2)]
    [InlineData("sql", 1)]
    [InlineData("redis", 1)]
    [InlineData("http,redis", 3)]
    [InlineData("kafka", 0)]
    public void Protocols_that_are_not_wanted_are_counted_as_filtered(string names, int sent)
    {
        using var traces = Make(new Receiver(), options => options with { Instrumentations = names.Split(',').ToHashSet() });
        Add(traces, Samples.Client);
        Add(traces, Samples.Broken);
        Add(traces, Samples.Postgres);
        Add(traces, Samples.Redis);
        traces.Finish(Environment.TickCount64 + 10_000);
        AssertCounts(traces, 4, sent, filtered: 4 - sent);
    }

    [Fact]
    public void Traces_that_are_not_sampled_are_counted_as_filtered()
    {
        using var traces = Make(new Receiver(), sampled: static context => context.Flags != 0);
        Add(traces, Samples.Client); // its trace is sampled
        Add(traces, Samples.Broken);
        traces.Finish(Environment.TickCount64 + 10_000);
        AssertCounts(traces, 2, sent: 1, filtered: 1);
    }

    private static void AssertCounts(OtlpTraces traces, long produced, long sent, long held = 0, long filtered = 0)
    {
        var expected = new PlaceCounters("otlp.traces", "spans", produced, Emitted: sent, Filtered: filtered, Held: held);
        Assert.True(SpinWait.SpinUntil(() => Assert.Single(traces.Count()) == expected, 10_000), Assert.Single(traces.Count()).ToString());
    }

    private static void Add(OtlpTraces traces, in SpanData span)
    {
        var exported = new ExportedSpan(in span) { Process = Samples.Web, Start = 1, Duration = 2 };
        traces.OnSpan(in exported);
    }

    private static OtlpTraces Make(
        Receiver receiver, Func<TracesExport, TracesExport>? change = null, Func<TraceContext, bool>? sampled = null)
    {
        var options = new TracesExport { Otlp = new OtlpConfiguration { Endpoint = new Uri("http://127.0.0.1:1") } };
        return new OtlpTraces(
            change is null ? options : change(options), new ServiceResources(new HostIdentity("h", "n", "b"), "1", static _ => 1),
            new OtlpSender(receiver, options.Otlp, "traces", 1000), "1",
            sampled is null ? null : (context, _) => sampled(context));
    }

    private sealed class Receiver : IOtlpTransport
    {
        public string Target => "test";

        public List<int> Requests { get; } = [];

        public OtlpAnswer Send(ReadOnlyMemory<byte> body, CancellationToken limit)
        {
            Requests.Add(body.Length);
            return new OtlpAnswer(OtlpVerdict.Taken);
        }

        public void Dispose()
        {
        }
    }
}
