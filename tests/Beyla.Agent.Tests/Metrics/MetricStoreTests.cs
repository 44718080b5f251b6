using Beyla.Agent.Configuration;
using Beyla.Agent.Processes;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Metrics;

public sealed class MetricStoreTests
{
    private const string Count = "http_client_request_duration_seconds_count";
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(5);

    [Fact]
    public void Known_series_allocate_nothing()
    {
        var rig = new MetricRig(MetricFeatures.OfSpans & ~MetricFeatures.ApplicationSpanOtel);
        var (client, server, query) = (Samples.Client, Samples.Broken, Samples.Postgres);
        void Round(int number)
        {
            for (var i = 0; i < 1000; i++)
            {
                rig.Add(in client);
                rig.Add(in server);
                rig.Add(in query);
            }
        }

        Round(0);
        Assert.Equal(0, Allocation.Least(Round));
    }

    /// <summary>OpenTelemetry specification, "Cardinality limits": what is beyond is one series, and the sum of all stays right.</summary>
    [Fact]
    public void What_is_beyond_the_limit_is_folded_and_counted()
    {
        var rig = new MetricRig(options: new() { Cardinality = 10 });
        for (var i = 0; i < 25; i++)
        {
            rig.Add(Samples.Client.With(SpanAttribute.HttpRequestHeaderHost, $"host{i}"), 2);
        }

        Assert.Equal(11, rig.Some(Count).Length);
        Assert.Equal(50, rig.Some(Count).Sum(static sample => sample.Value));
        Assert.Equal(30, rig.One(Count, "job=\"beyla\"", "otel_metric_overflow=\"true\"}"));
        Assert.Equal(30, rig.One("beyla_metrics_folded_total", "metric=\"http.client.request.duration\"}"));
        rig.Add(Samples.Client.With(SpanAttribute.HttpRequestHeaderHost, "host3"));
        Assert.Equal(3, rig.One(Count, "server_address=\"host3\""));
        Assert.Equal(30, rig.One("beyla_metrics_folded_total"));
    }

    [Fact]
    public void A_full_metric_gives_up_what_had_no_news_for_what_has()
    {
        var rig = new MetricRig(options: new() { Cardinality = 2, Idle = Idle });
        rig.Add(Samples.Client.With(SpanAttribute.HttpRequestHeaderHost, "old1"));
        rig.Add(Samples.Client.With(SpanAttribute.HttpRequestHeaderHost, "old2"));
        var later = Environment.TickCount64 + (long)Idle.TotalMilliseconds + 1000;
        rig.Store.Expire(later);
        Assert.Equal(2, rig.Some(Count).Length);
        rig.Add(Samples.Client.With(SpanAttribute.HttpRequestHeaderHost, "new"));
        Assert.Equal(1, rig.One(Count, "server_address=\"new\""));
        Assert.Single(rig.Some(Count));
    }

    [Fact]
    public void The_series_of_a_living_process_stay_without_news()
    {
        var rig = new MetricRig(options: new() { Idle = Idle });
        rig.Add(Samples.Client);
        rig.Store.Expire(Environment.TickCount64 + (10 * (long)Idle.TotalMilliseconds));
        Assert.Equal(1, rig.One(Count));
    }

    [Fact]
    public void They_go_when_somebody_asked_for_that()
    {
        var rig = new MetricRig(options: new() { Idle = Idle, ExpiresOfLiving = true });
        rig.Add(Samples.Client);
        rig.Store.Expire(Environment.TickCount64 + (long)Idle.TotalMilliseconds - 1000);
        Assert.Single(rig.Some(Count));
        rig.Store.Expire(Environment.TickCount64 + (long)Idle.TotalMilliseconds + 1);
        Assert.Empty(rig.Some(Count));
        rig.Add(Samples.Client);
        Assert.Equal(1, rig.One(Count));
    }

    [Fact]
    public void The_series_of_a_process_that_is_over_go_when_they_were_read_twice()
    {
        var rig = new MetricRig(options: new() { Idle = Idle, Grace = TimeSpan.FromSeconds(15) });
        rig.Add(Samples.Client);
        rig.Add(Samples.Broken);
        rig.Stage.OnEnd(Samples.Web);
        var end = Environment.TickCount64;
        Assert.Equal(1, rig.One(Count));
        rig.Store.Expire(end + 60_000);
        Assert.Equal(1, rig.One(Count)); // the second time
        rig.Store.Expire(end + 10_000);
        Assert.NotEmpty(rig.Some(Count));
        rig.Store.Expire(end + 16_000);
        Assert.Empty(rig.Some(Count));
        Assert.DoesNotContain("shop/web", rig.Page());
        Assert.Single(rig.Some("http_server_request_duration_seconds_count"));
    }

    [Fact]
    public void They_go_too_when_nobody_reads_them()
    {
        var rig = new MetricRig(options: new() { Idle = Idle });
        rig.Add(Samples.Client);
        rig.Stage.OnEnd(Samples.Web);
        rig.Store.Expire(Environment.TickCount64 + (long)Idle.TotalMilliseconds + 1);
        Assert.Empty(rig.Some(Count));
        Assert.Single(rig.Store.Resources);
    }

    /// <summary>A name in the environment is inherited: the same series twice would be one too many on a page.</summary>
    [Fact]
    public void Processes_that_say_they_are_one_instance_share_its_series()
    {
        ProcessInfo Worker(int pid) => new()
        {
            Pid = pid, Executable = "/usr/bin/ruby", ServiceName = "web", StartTime = pid,
            ResourceAttributes = [new("service.instance.id", "web-1"), new("worker", $"{pid}")],
        };
        ProcessInfo[] workers = [Worker(4711), Worker(12)];
        var rig = new MetricRig(processes: workers);
        rig.Add(Samples.Client);
        rig.Add(Samples.Client with { Pid = 12 });
        Assert.Equal(2, rig.One(Count, "job=\"web\",instance=\"web-1\""));
        Assert.Equal(1, rig.One("target_info", "instance=\"web-1\"", "worker=\"12\""));
        rig.Stage.OnEnd(workers[1]);
        rig.Store.Expire(Environment.TickCount64 + (10 * (long)Idle.TotalMilliseconds));
        Assert.Equal(2, rig.One(Count));
    }

    [Fact]
    public void Instances_beyond_the_limit_are_the_agents()
    {
        ProcessInfo[] processes =
            [.. Enumerable.Range(1, 20).Select(static pid => new ProcessInfo { Pid = pid, ServiceName = $"s{pid}" })];
        var rig = new MetricRig(options: new() { Resources = 5 }, processes: processes);
        foreach (var process in processes)
        {
            rig.Add(Samples.Client with { Pid = process.Pid });
        }

        Assert.Equal(6, rig.Store.Resources.Count);
        Assert.Equal(20, rig.Some(Count).Sum(static sample => sample.Value));
        Assert.Equal(15, rig.One(Count, "job=\"beyla\""));

        // Their end is not that of the agent.
        foreach (var process in processes)
        {
            rig.Stage.OnEnd(process);
        }

        _ = (rig.Page(), rig.Page());
        rig.Store.Expire(Environment.TickCount64 + 20_000);
        Assert.Single(rig.Store.Resources);
        Assert.Equal(15, rig.One(Count, "job=\"beyla\""));
    }
}
