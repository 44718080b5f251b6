using System.Net;
using System.Net.Sockets;
using System.Text;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>Prometheus and promtool themselves, by pages written by hand.</summary>
public sealed class PrometheusServerTests
{
    private const string Trace = "0102030405060708090a0b0c0d0e0f10";

    // OpenMetrics 1.0.0; the last line of a page is its end.
    private const string First = $$"""
        # TYPE target info
        # HELP target About the target.
        target_info{job="a/shop",instance="1"} 1
        # TYPE http_server_request_duration_seconds histogram
        # UNIT http_server_request_duration_seconds seconds
        # HELP http_server_request_duration_seconds Duration of requests.
        http_server_request_duration_seconds_bucket{job="a/shop",instance="1",le="0.1"} 30 # {trace_id="{{Trace}}"} 0.05
        http_server_request_duration_seconds_bucket{job="a/shop",instance="1",le="+Inf"} 42
        http_server_request_duration_seconds_count{job="a/shop",instance="1"} 42
        http_server_request_duration_seconds_sum{job="a/shop",instance="1"} 8.5
        # EOF

        """;

    private const string Second = """
        # TYPE target info
        # HELP target About the target.
        target_info{job="a/shop",instance="1"} 1
        # EOF

        """;

    [LiveFact("prometheus")]
    public async Task Counts_exemplars_metadata_and_the_end_of_a_series()
    {
        await using Page page = new(First);
        await using PrometheusServer server = await PrometheusServer.StartAsync(page.Port);

        await server.WaitUntilUpAsync();
        await server.WaitForAsync("sum(http_server_request_duration_seconds_count{job=\"a/shop\"})", 42);
        Assert.Equal(8.5, Assert.Single(await server.QueryAsync("http_server_request_duration_seconds_sum")).Value);
        PrometheusSample exemplar = Assert.Single(await server.ExemplarsAsync("http_server_request_duration_seconds_bucket"));
        Assert.Equal((Trace, 0.05), (exemplar.Labels["trace_id"], exemplar.Value));
        Assert.Equal(("histogram", "seconds", "Duration of requests."), await server.MetadataAsync("http_server_request_duration_seconds"));
        Assert.Contains("application/openmetrics-text", page.Accept, StringComparison.Ordinal);

        page.Text = Second;
        await server.WaitForNoneAsync("http_server_request_duration_seconds_count");
        Assert.Equal(1, Assert.Single(await server.QueryAsync("target_info")).Value);
    }

    [LiveFact("promtool")]
    public async Task A_page_in_order_and_pages_that_are_not()
    {
        const string good = "# HELP a_total A.\n# TYPE a_total counter\na_total{b=\"1\"} 1\na_total{b=\"2\"} 2\n";

        Assert.Equal((0, ""), await MetricsPage.CheckAsync(good));
        Assert.Equal(3, (await MetricsPage.CheckAsync("# TYPE a_total counter\na_total 1\n")).Status);
        Assert.Equal(1, (await MetricsPage.CheckAsync("a{ 1\n")).Status);
        Assert.Empty(MetricsPage.Duplicates(good));
        Assert.Equal(["a_total{b=\"1\"}"], MetricsPage.Duplicates(good + "a_total{b=\"1\"} 3\n"));
    }

    /// <summary>Answers every request with a text, as OpenMetrics.</summary>
    private sealed class Page : OwnServer
    {
        public Page(string text)
            : base(IPAddress.Loopback)
        {
            Text = text;
            Listen();
        }

        public string Text { get; set; }

        /// <summary>The header fields of the last request.</summary>
        public string Accept { get; private set; } = "";

        protected override async Task ServeAsync(Socket socket)
        {
            byte[] request = new byte[8192];
            while (await socket.ReceiveAsync(request) is > 0 and int length)
            {
                Accept = Encoding.ASCII.GetString(request, 0, length);
                byte[] body = Encoding.UTF8.GetBytes(Text);
                await socket.SendAsync(Encoding.ASCII.GetBytes(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
                    + $"Content-Length: {body.Length}\r\n\r\n"));
                await socket.SendAsync(body);
            }
        }
    }
}
