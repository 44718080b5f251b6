using System.Text;
using System.Text.RegularExpressions;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Prometheus;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Metrics;

namespace Beyla.Agent.Tests.Export.Prometheus;

/// <summary>
/// The pages as the specifications have them: https://prometheus.io/docs/instrumenting/exposition_formats/ (text 0.0.4) and
/// https://prometheus.io/docs/specs/om/open_metrics_spec/ (OpenMetrics 1.0.0).
/// </summary>
public sealed partial class MetricsPageTests
{
    // UUID version 5 of the host, boot, pid 4711 and start 77, in the namespace that the conventions give.
    private const string Labels = "job=\"shop/web\",instance=\"INSTANCE\",http_request_method=\"GET\",http_response_status_code=\"200\","
        + "network_protocol_version=\"1.1\",server_address=\"api\",server_port=\"3040\"";

    private static readonly string[] Limits =
        ["0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0", "7.5", "10.0", "+Inf"];

    [Fact]
    public void A_page_of_text()
    {
        var rig = new MetricRig();
        rig.Add(Samples.Client, 6_000L);
        var expected = new StringBuilder("# HELP http_client_request_duration_seconds Duration of HTTP requests that a service sent.\n")
            .Append("# TYPE http_client_request_duration_seconds histogram\n");
        foreach (var limit in Limits)
        {
            expected.Append($"http_client_request_duration_seconds_bucket{{{Labels},le=\"{limit}\"}} {(limit == "0.005" ? 0 : 1)}\n");
        }

        expected.Append($"http_client_request_duration_seconds_sum{{{Labels}}} 0.006\n")
            .Append($"http_client_request_duration_seconds_count{{{Labels}}} 1\n");
        var page = Anonymous(rig.Page());
        Assert.StartsWith("# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info{job=\"shop/web\",instance=", page);
        Assert.EndsWith("} 1\n" + expected, page);
    }

    [Fact]
    public void A_page_of_OpenMetrics_has_units_exemplars_and_an_end()
    {
        var rig = new MetricRig();
        rig.Add(Samples.Client, 6_000L);
        var lines = Anonymous(rig.Page(PageFormat.OpenMetrics)).Split('\n');
        Assert.Equal(["# TYPE target info", "# HELP target Target metadata"], lines[..2]);
        Assert.Equal(
            ["# TYPE http_client_request_duration_seconds histogram", "# UNIT http_client_request_duration_seconds seconds",
                "# HELP http_client_request_duration_seconds Duration of HTTP requests that a service sent."], lines[3..6]);
        // 2026-08-20 08:11:12 UTC, and 820.111 + 6 ms.
        Assert.Equal(
            $"http_client_request_duration_seconds_bucket{{{Labels},le=\"0.01\"}} 1 "
            + "# {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\",span_id=\"00f067aa0ba902b7\"} 0.006 1787213472.826111", lines[7]);
        Assert.Single(lines, static line => line.Contains(" # {", StringComparison.Ordinal));
        Assert.Equal(["# EOF", ""], lines[^2..]);
    }

    [Fact]
    public void Only_a_sampled_trace_is_an_exemplar_unless_all_are_wanted()
    {
        var span = Samples.Client with { Context = Samples.Client.Context with { Flags = 0 } };
        int Exemplars(ExemplarFilter filter)
        {
            var rig = new MetricRig(options: new() { Exemplars = filter });
            rig.Add(span);
            return rig.Page(PageFormat.OpenMetrics).Split(" # {trace_id").Length - 1;
        }

        Assert.Equal((0, 0, 1),
            (Exemplars(ExemplarFilter.TraceBased), Exemplars(ExemplarFilter.AlwaysOff), Exemplars(ExemplarFilter.AlwaysOn)));
    }

    [Fact]
    public void A_counter_is_named_by_its_format()
    {
        var rig = new MetricRig(MetricFeatures.ApplicationSpan);
        rig.Add(Samples.Client);
        Assert.Contains("\n# TYPE traces_spanmetrics_calls_total counter\ntraces_spanmetrics_calls_total{", rig.Page());
        Assert.Contains(
            "\n# TYPE traces_spanmetrics_calls counter\n# HELP traces_spanmetrics_calls Number of spans.\ntraces_spanmetrics_calls_total{",
            rig.Page(PageFormat.OpenMetrics));
    }

    [Theory]
    [InlineData("a\"b\\c\nd", "a\\\"b\\\\c\\nd")]
    [InlineData("größe\t{}", "größe\t{}")]
    public void Values_are_escaped(string value, string expected)
    {
        var rig = new MetricRig(MetricFeatures.ApplicationSpan);
        rig.Add(Samples.Client.With(SpanAttribute.Name, value));
        Assert.Contains($"span_name=\"{expected}\",", rig.Page());
    }

    [Fact]
    public void Bytes_that_are_no_text_become_the_replacement_character()
    {
        var rig = new MetricRig(MetricFeatures.ApplicationSpan);
        rig.Add(Samples.Client.With(SpanAttribute.Name, [(byte)'a', 0xff, 0xc3, (byte)'b', 0xe2, 0x82]));
        Assert.Contains("span_name=\"a\uFFFD\uFFFDb\uFFFD\",", rig.Page());
    }

    [Fact]
    public void A_resource_may_say_anything_of_itself_and_the_page_stays_readable()
    {
        var process = new ProcessInfo
        {
            Pid = 4711, ServiceName = "w\"eb", ResourceAttributes =
                [new("job", "x"), new("instance", "y"), new("a.b", "2"), new("a_b", "1"), new("team", "ä\n\\")],
        };
        var rig = new MetricRig(processes: process);
        rig.Add(Samples.Client);
        var line = rig.Page().Split('\n').Single(static line => line.StartsWith("target_info{", StringComparison.Ordinal));
        Assert.StartsWith("target_info{job=\"w\\\"eb\",instance=\"", line);
        Assert.Contains(",a_b=\"2;1\",team=\"ä\\n\\\\\"", line);
        var names = LabelName().Matches(line).Select(static match => match.Groups[1].Value).ToList();
        Assert.Equal(names.Distinct(), names);
    }

    [Fact]
    public void No_series_and_no_head_is_there_twice()
    {
        var rig = new MetricRig(MetricFeatures.OfSpans & ~MetricFeatures.ApplicationSpanOtel);
        foreach (var span in (SpanData[])[Samples.Client, Samples.Broken, Samples.Postgres, Samples.Redis])
        {
            rig.Add(span, 3);
        }

        foreach (var format in Enum.GetValues<PageFormat>())
        {
            var lines = rig.Page(format).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            var samples = lines.Where(static line => line[0] != '#').Select(static line => line[..(line.IndexOf('}') + 1)]).ToList();
            Assert.True(samples.Count > 100);
            Assert.Equal(samples.Distinct(), samples);
            var types = lines.Where(static line => line.StartsWith("# TYPE ", StringComparison.Ordinal)).ToList();
            Assert.Equal(types.Select(static line => line.Split(' ')[2]).Distinct(), types.Select(static line => line.Split(' ')[2]));
        }
    }

    [Theory]
    [InlineData(0.1, "0.1")]
    [InlineData(3, "3")]
    [InlineData(1e-7, "1E-07")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(1787213472.826111, "1787213472.826111")]
    public void Numbers_read_back_as_they_are(double number, string expected)
    {
        using var buffer = new PageBuffer();
        buffer.Write(number);
        Assert.Equal(expected, Encoding.ASCII.GetString(buffer.Written));
    }

    [Fact]
    public void A_page_that_was_read_before_allocates_nothing()
    {
        var rig = new MetricRig();
        for (var i = 0; i < 100; i++)
        {
            rig.Add(Samples.Client.With(SpanAttribute.HttpRequestHeaderHost, $"host{i}"));
        }

        var page = new MetricsPage(rig.Store);
        using var buffer = new PageBuffer();
        void Round(int number)
        {
            buffer.Clear();
            page.Write(buffer, PageFormat.OpenMetrics);
        }

        Round(0);
        // The collection of resources is walked by its interface once a page.
        Assert.InRange(Allocation.Least(Round), 0, 200);
    }

    private static string Anonymous(string page) => Instance().Replace(page, "instance=\"INSTANCE\"");

    [GeneratedRegex("instance=\"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\"")]
    private static partial Regex Instance();

    [GeneratedRegex("[{,]([a-z_]+)=\"")]
    private static partial Regex LabelName();
}
