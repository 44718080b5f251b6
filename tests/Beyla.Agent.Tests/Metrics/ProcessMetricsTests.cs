using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Prometheus;
using Beyla.Agent.Metrics;
using Beyla.Agent.Processes;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Metrics;

/// <summary>This process is the one that is measured.</summary>
public sealed class ProcessMetricsTests
{
    private static readonly ProcessInfo Own = Samples.Web with { Pid = Environment.ProcessId, StartTime = StartOf() };

    [Fact]
    public void A_process_that_had_a_span_is_measured()
    {
        MetricRig rig = new(MetricFeatures.ApplicationProcess, processes: Own);
        Assert.Empty(rig.Some("process_memory_usage_bytes"));
        rig.Add(Samples.Client with { Pid = Own.Pid });
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        var age = (DateTime.UtcNow - self.StartTime.ToUniversalTime()).TotalSeconds;
        rig.Stage.Tick(Environment.TickCount64);

        var later = (DateTime.UtcNow - self.StartTime.ToUniversalTime()).TotalSeconds;
        Assert.InRange(rig.One("process_uptime_seconds"), age - 1, later + 1);
        var used = rig.One("process_cpu_time_seconds_total", "cpu_mode=\"user\"")
            + rig.One("process_cpu_time_seconds_total", "cpu_mode=\"system\"");
        // Measured before.
        Assert.InRange(used, 0.1, self.TotalProcessorTime.TotalSeconds + 0.02);
        Assert.InRange(rig.One("process_memory_usage_bytes"), 10e6, rig.One("process_memory_virtual_bytes"));
        Assert.InRange(rig.One("process_thread_count"), 2, 1000);
        Assert.True(rig.One("process_paging_faults_total", "system_paging_fault_type=\"minor\"") > 1000);
        // Nobody knows yet when the time was used.
        Assert.Empty(rig.Some("process_cpu_utilization_ratio"));
    }

    [Fact]
    public void What_was_used_since_is_added()
    {
        MetricRig rig = new(MetricFeatures.ApplicationProcess, processes: Own);
        rig.Add(Samples.Client with { Pid = Own.Pid });
        var start = Environment.TickCount64;
        rig.Stage.Tick(start);
        var before = Used(rig);
        var until = Environment.CpuUsage.UserTime + TimeSpan.FromMilliseconds(200);
        while (Environment.CpuUsage.UserTime < until)
        {
        }

        rig.Stage.Tick(start + 4999);
        Assert.Equal(before, Used(rig)); // not due
        rig.Stage.Tick(start + 5000);
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        Assert.InRange(Used(rig) - before, 0.15, self.TotalProcessorTime.TotalSeconds - before + 0.02);
        var part = rig.One("process_cpu_utilization_ratio", "cpu_mode=\"user\"")
            + rig.One("process_cpu_utilization_ratio", "cpu_mode=\"system\"");
        Assert.InRange(part, 0.001, 1.1);
    }

    [Fact]
    public void Another_process_with_the_same_number_is_not_taken_for_it()
    {
        var before = Own with { StartTime = Own.StartTime - 100 };
        MetricRig rig = new(MetricFeatures.ApplicationProcess, processes: before);
        rig.Add(Samples.Client with { Pid = before.Pid });
        rig.Stage.Tick(Environment.TickCount64);
        Assert.Empty(rig.Some("process_uptime_seconds"));
    }

    [Fact]
    public void One_that_is_over_is_measured_no_more()
    {
        MetricRig rig = new(MetricFeatures.ApplicationProcess, processes: Own);
        rig.Add(Samples.Client with { Pid = Own.Pid });
        rig.Stage.OnEnd(Own);
        rig.Stage.Tick(Environment.TickCount64);
        Assert.Empty(rig.Some("process_uptime_seconds"));
    }

    /// <summary>Memory and threads can be added up: no gauge of OTLP, but one of Prometheus, which knows no other.</summary>
    [Fact]
    public void Types_and_units_are_said()
    {
        MetricRig rig = new(MetricFeatures.ApplicationProcess, processes: Own);
        rig.Add(Samples.Client with { Pid = Own.Pid });
        rig.Stage.Tick(Environment.TickCount64);
        var page = rig.Page(PageFormat.OpenMetrics);
        Assert.Contains(
            "# TYPE process_memory_usage_bytes gauge\n# UNIT process_memory_usage_bytes bytes\n", page, StringComparison.Ordinal);
        Assert.Contains(
            "# TYPE process_cpu_time_seconds counter\n# UNIT process_cpu_time_seconds seconds\n", page, StringComparison.Ordinal);
        Assert.Contains("# TYPE process_thread_count gauge\n", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_host_is_one_series_of_the_agent()
    {
        MetricRig rig = new(MetricFeatures.ApplicationProcess);
        MetricSetup.AddHost(rig.Store, "h1");
        Assert.Equal(1, rig.One("traces_host_info", "job=\"beyla\"", "grafana_host_id=\"h1\""));
    }

    private static double Used(MetricRig rig) => rig.Some("process_cpu_time_seconds_total").Sum(static sample => sample.Value);

    private static long StartOf()
    {
        Assert.True(ProcUsage.TryRead(Environment.ProcessId, out var usage));
        return usage.StartTime;
    }
}
