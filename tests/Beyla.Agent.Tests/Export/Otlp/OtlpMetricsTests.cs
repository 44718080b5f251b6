using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Export.Relay;
using Beyla.Agent.Metrics;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Metrics;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>All series are sent by the clock and at the end, each point is counted, and what is over is sent once more.</summary>
public sealed class OtlpMetricsTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    [Fact]
    public void All_series_go_at_each_interval_and_at_the_end()
    {
        var (rig, receiver) = (new MetricRig(options: new() { IsSent = true }), new Receiver());
        using var metrics = Make(rig, receiver);
        var now = Environment.TickCount64;
        Assert.InRange(metrics.Tick(now), now + 50_000, now + 60_000);
        rig.Add(Samples.Client);
        Assert.Equal(metrics.Tick(now), metrics.Tick(now + 50_000));
        Assert.Empty(receiver.Requests);

        var due = metrics.Tick(now);
        Assert.Equal(due + 60_000, metrics.Tick(due));
        AssertCounts(metrics, points: 1);
        rig.Add(Samples.Broken); // a second series; the first is in the second request too, cumulative
        // After a pause of an hour there is one request, not sixty.
        Assert.Equal(due + 3_660_000, metrics.Tick(due + 3_600_000));
        AssertCounts(metrics, points: 1 + 2);
        metrics.HandOver();
        metrics.Finish(Environment.TickCount64 + 10_000);
        AssertCounts(metrics, points: 1 + 2 + 2);
        Assert.Equal(3, receiver.Requests.Count);
        Assert.All(receiver.Requests, static request => Assert.True(Has(request, "shop")));
        Assert.Equal([false, true, true], receiver.Requests.Select(static request => Has(request, "nginx")));
    }

    [Fact]
    public void Where_nothing_was_measured_nothing_is_sent()
    {
        var (rig, receiver) = (new MetricRig(), new Receiver());
        using var metrics = Make(rig, receiver);
        metrics.Tick(Environment.TickCount64 + 120_000);
        metrics.Finish(Environment.TickCount64 + 10_000);
        Assert.Empty(receiver.Requests);
        AssertCounts(metrics, points: 0);
    }

    [Fact]
    public void Points_that_are_refused_are_lost_and_those_on_their_way_held()
    {
        using var gate = new ManualResetEventSlim();
        var (rig, receiver) = (new MetricRig(), new Receiver
        {
            Answer = () =>
            {
                gate.Wait(10_000);
                return new OtlpAnswer(OtlpVerdict.Refused);
            },
        });
        using var metrics = Make(rig, receiver);
        rig.Add(Samples.Client);
        rig.Add(Samples.Broken);
        metrics.Tick(Environment.TickCount64 + 120_000);
        Assert.Equal(new PlaceCounters("otlp.metrics", "points", 2, Held: 2), Assert.Single(metrics.Count()));
        gate.Set();
        metrics.Finish(Environment.TickCount64 + 10_000); // and sends them again
        Assert.Equal(new PlaceCounters("otlp.metrics", "points", 4, Lost: 4), Assert.Single(metrics.Count()));
    }

    [Fact]
    public void A_process_that_is_over_is_sent_once_more_and_goes_then()
    {
        var options = new MetricStoreOptions { IsSent = true, IsRead = false, Idle = TimeSpan.FromSeconds(30) };
        var (rig, receiver) = (new MetricRig(options: options), new Receiver());
        using var metrics = Make(rig, receiver);
        rig.Add(Samples.Client);
        var due = metrics.Tick(Environment.TickCount64);
        rig.Stage.OnEnd(Samples.Web);
        rig.Store.Expire(due - 1); // long after grace and TTL
        Assert.Equal(2, rig.Store.Resources.Count);
        due = metrics.Tick(due);
        Assert.True(SpinWait.SpinUntil(() => receiver.Requests.Count == 1, 10_000));
        Assert.True(Has(receiver.Requests[0], "shop"));
        Assert.Single(rig.Store.Resources); // the agent's
        metrics.Tick(due);
        metrics.Finish(Environment.TickCount64 + 10_000);
        Assert.Single(receiver.Requests);
    }

    [Fact]
    public void With_a_page_too_it_stays_until_both_had_it()
    {
        var rig = new MetricRig(options: new() { IsSent = true });
        using var metrics = Make(rig, new Receiver());
        rig.Add(Samples.Client);
        rig.Stage.OnEnd(Samples.Web);
        _ = (rig.Page(), rig.Page());
        var soon = Environment.TickCount64 + 20_000;
        rig.Store.Expire(soon);
        Assert.Equal(2, rig.Store.Resources.Count);
        metrics.Tick(Environment.TickCount64 + 61_000);
        rig.Store.Expire(soon);
        Assert.Single(rig.Store.Resources);

        // The other way round.
        rig.Add(Samples.Client);
        rig.Stage.OnEnd(Samples.Web);
        metrics.Tick(Environment.TickCount64 + 122_000);
        Assert.Equal(2, rig.Store.Resources.Count);
        _ = (rig.Page(), rig.Page());
        rig.Store.Expire(Environment.TickCount64 + 200_000);
        Assert.Single(rig.Store.Resources);
    }

    [Fact]
    public void A_process_that_comes_back_is_sent_again_when_it_ends_again()
    {
        var options = new MetricStoreOptions
        {
            IsSent = true, IsRead = false, Grace = TimeSpan.FromHours(1), Idle = TimeSpan.FromHours(2),
        };
        var (rig, receiver) = (new MetricRig(options: options), new Receiver());
        using var metrics = Make(rig, receiver);
        rig.Add(Samples.Client);
        rig.Stage.OnEnd(Samples.Web);
        metrics.Tick(Environment.TickCount64 + 61_000);
        rig.Add(Samples.Client); // the same instance lives again
        rig.Stage.OnEnd(Samples.Web);
        rig.Store.Expire(Environment.TickCount64 + (3 * 3_600_000));
        Assert.Equal(2, rig.Store.Resources.Count);
        metrics.Finish(Environment.TickCount64 + 10_000);
        Assert.Equal(2, receiver.Requests.Count);
        Assert.True(Has(receiver.Requests[1], "shop"));
        rig.Store.Expire(Environment.TickCount64 + (3 * 3_600_000));
        Assert.Single(rig.Store.Resources);
    }

    [Fact]
    public void What_more_is_known_of_a_process_is_in_the_next_request()
    {
        var known = Samples.Web with { ResourceAttributes = [new("service.version", "version-one")] };
        var (rig, receiver) = (new MetricRig(processes: known), new Receiver());
        using var metrics = Make(rig, receiver);
        rig.Add(Samples.Client);
        var due = metrics.Tick(metrics.Tick(Environment.TickCount64));
        due = metrics.Tick(due); // as it is
        var more = known with { ResourceAttributes = [new("service.version", "version-two")] };
        var span = Samples.Client;
        rig.Stage.OnSpan(new ExportedSpan(in span) { Process = more, Start = 1, Duration = 2 });
        metrics.Tick(due);
        metrics.HandOver(); // as it is now
        metrics.Finish(Environment.TickCount64 + 10_000);
        Assert.Equal([(true, false), (true, false), (false, true), (false, true)],
            receiver.Requests.Select(static request => (Has(request, "version-one"), Has(request, "version-two"))));
    }

    /// <summary>Both have the whole time that there is at the end, not one after the other.</summary>
    [Fact]
    public void A_receiver_of_spans_that_stands_still_takes_no_time_from_that_of_metrics()
    {
        var otlp = new OtlpConfiguration { Endpoint = new Uri("http://127.0.0.1:1") };
        using var traces = new OtlpTraces(
            new TracesExport { Otlp = otlp }, new ServiceResources(MetricRig.Host, "1", static _ => 1),
            new OtlpSender(new Slow(Timeout.Infinite), otlp, "traces", 1000), "1");
        var rig = new MetricRig();
        rig.Add(Samples.Client);
        using var metrics = Make(rig, new Slow(200));
        using var relay = new SpanRelay([traces, metrics]);
        var span = Samples.Client;
        relay.OnSpan(new ExportedSpan(in span) { Process = Samples.Web, Start = 1, Duration = 2 });
        relay.Flush();
        relay.Stop(TimeSpan.FromMilliseconds(500));
        Assert.Equal(new PlaceCounters("otlp.metrics", "points", 1, Emitted: 1), Assert.Single(metrics.Count()));
        Assert.Equal(new PlaceCounters("otlp.traces", "spans", 1, Lost: 1), Assert.Single(traces.Count()));
    }

    private static OtlpMetrics Make(MetricRig rig, IOtlpTransport receiver)
    {
        var options = new OtlpConfiguration { Endpoint = new Uri("http://127.0.0.1:1") };
        var sender = new OtlpSender(receiver, options, "metrics", int.MaxValue);
        return new OtlpMetrics(rig.Store, new() { Otlp = options, Interval = Interval }, sender, "1");
    }

    private static void AssertCounts(OtlpMetrics metrics, long points)
    {
        var expected = new PlaceCounters("otlp.metrics", "points", points, Emitted: points);
        Assert.True(
            SpinWait.SpinUntil(() => Assert.Single(metrics.Count()) == expected, 10_000), Assert.Single(metrics.Count()).ToString());
    }

    private static bool Has(byte[] request, string text) => request.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;

    private sealed class Receiver : IOtlpTransport
    {
        public string Target => "test";

        public List<byte[]> Requests { get; } = [];

        public Func<OtlpAnswer> Answer { get; init; } = static () => new OtlpAnswer(OtlpVerdict.Taken);

        public OtlpAnswer Send(ReadOnlyMemory<byte> body, CancellationToken limit)
        {
            Requests.Add(body.ToArray());
            return Answer();
        }

        public void Dispose()
        {
        }
    }

    /// <summary>Takes a request after so many milliseconds, if there is the time.</summary>
    private sealed class Slow(int milliseconds) : IOtlpTransport
    {
        public string Target => "test";

        public OtlpAnswer Send(ReadOnlyMemory<byte> body, CancellationToken limit)
        {
            var isOver = limit.WaitHandle.WaitOne(milliseconds);
            return new OtlpAnswer(isOver ? OtlpVerdict.Again : OtlpVerdict.Taken);
        }

        public void Dispose()
        {
        }
    }
}
