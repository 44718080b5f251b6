using Beyla.Agent.Configuration;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Metrics;

public sealed class RequestMetricsTests
{
    private const string ServerCount = "http_server_request_duration_seconds_count";
    private const string ClientCount = "http_client_request_duration_seconds_count";

    /// <summary>Semantic conventions 1.44, metric http.server.request.duration: required and conditionally required attributes.</summary>
    [Fact]
    public void A_server_has_the_attributes_of_the_conventions_and_no_others()
    {
        var rig = new MetricRig();
        rig.Add(Samples.Broken);
        var (sample, value) = Assert.Single(rig.Some(ServerCount));
        Assert.Equal(1, value);
        Assert.Matches(
            "^http_server_request_duration_seconds_count\\{job=\"nginx\",instance=\"[0-9a-f-]{36}\",http_request_method=\"POST\","
            + "error_type=\"connection_closed\",network_protocol_version=\"1.0\",url_scheme=\"http\"\\}$", sample);
    }

    [Fact]
    public void A_client_names_its_server_and_the_status()
    {
        var rig = new MetricRig();
        rig.Add(Samples.Client);
        var (sample, _) = Assert.Single(rig.Some(ClientCount));
        Assert.Matches(
            "\\{job=\"shop/web\",instance=\"[0-9a-f-]{36}\",http_request_method=\"GET\",http_response_status_code=\"200\","
            + "network_protocol_version=\"1.1\",server_address=\"api\",server_port=\"3040\"\\}$", sample);
    }

    /// <summary>One value for all: else there would be as many series as there are hosts.</summary>
    [Fact]
    public void An_address_that_nobody_resolved_is_in_no_series()
    {
        var rig = new MetricRig();
        for (var i = 0; i < 50; i++)
        {
            rig.Add((Samples.Client with { ServerAddress = Samples.At($"10.0.0.{i}"), ServerPort = 80 })
                .With(SpanAttribute.HttpRequestHeaderHost, $"10.0.0.{i}"));
        }

        Assert.Equal(50, rig.One(ClientCount, "server_address=\"outgoing\"", "server_port=\"80\""));
        Assert.DoesNotContain("10.0.0.", rig.Page());
    }

    [Fact]
    public void A_method_that_is_not_known_is_other()
    {
        var rig = new MetricRig();
        for (var i = 0; i < 20; i++)
        {
            rig.Add(Samples.Broken.With(SpanAttribute.HttpRequestMethod, $"X{i}"));
        }

        rig.Add(Samples.Broken.With(SpanAttribute.HttpRequestMethod, "get"));
        Assert.Equal(21, rig.One(ServerCount, "http_request_method=\"_OTHER\""));
        Assert.Single(rig.Some(ServerCount));
    }

    [Fact]
    public void Each_status_is_a_series_and_a_path_is_none()
    {
        var rig = new MetricRig();
        for (var i = 0; i < 30; i++)
        {
            rig.Add(Samples.Client.With(SpanAttribute.HttpResponseStatusCode, 200 + (i % 3)).With(SpanAttribute.UrlPath, $"/users/{i}"));
        }

        Assert.Equal([10, 10, 10], rig.Some(ClientCount).Select(static sample => sample.Value));
        Assert.DoesNotContain("/users", rig.Page());
    }

    /// <summary>Ground truth: 1 ms, 5 ms (a bound), 5.001 ms, 20 s.</summary>
    [Fact]
    public void Durations_fall_into_their_buckets_and_are_summed_exactly()
    {
        var rig = new MetricRig();
        foreach (var microseconds in (long[])[1_000, 5_000, 5_001, 20_000_000])
        {
            rig.Add(Samples.Broken, microseconds);
        }

        double Bucket(string le) => rig.One("http_server_request_duration_seconds_bucket", $"le=\"{le}\"");
        Assert.Equal([2, 3, 3, 3, 4], [Bucket("0.005"), Bucket("0.01"), Bucket("1.0"), Bucket("10.0"), Bucket("+Inf")]);
        Assert.Equal(15, rig.Some("http_server_request_duration_seconds_bucket").Length);
        Assert.Equal(4, rig.One(ServerCount));
        Assert.Equal(20.011001, rig.One("http_server_request_duration_seconds_sum"));
    }

    [Fact]
    public void A_million_short_durations_are_summed_exactly()
    {
        var rig = new MetricRig();
        var span = Samples.Broken;
        for (var i = 0; i < 100_000; i++)
        {
            rig.Add(span, 100L);
        }

        Assert.Equal(10, rig.One("http_server_request_duration_seconds_sum"));
    }

    /// <summary>Semantic conventions 1.44, metric db.client.operation.duration.</summary>
    [Fact]
    public void A_database_client_has_the_attributes_of_the_conventions()
    {
        var rig = new MetricRig();
        rig.Add(Samples.Postgres);
        var (sample, _) = Assert.Single(rig.Some("db_client_operation_duration_seconds_count"));
        Assert.EndsWith(
            ",db_system_name=\"postgresql\",db_namespace=\"shop\",db_operation_name=\"INSERT\",db_collection_name=\"orders\","
            + "db_response_status_code=\"23505\",error_type=\"23505\"}", sample);
        Assert.Equal(10, rig.Some("db_client_operation_duration_seconds_bucket").Length);
        Assert.DoesNotContain("VALUES", rig.Page());
    }

    /// <summary>There is no convention for what a database server is seen to do.</summary>
    [Fact]
    public void A_database_server_has_no_metric()
    {
        var rig = new MetricRig();
        rig.Add(Samples.Redis);
        Assert.Empty(rig.All());
    }

    [Fact]
    public void Span_metrics_have_the_names_and_labels_of_the_peer()
    {
        var rig = new MetricRig(MetricFeatures.ApplicationSpan | MetricFeatures.ApplicationSpanSizes);
        rig.Add(Samples.Client, 3);
        rig.Add(Samples.Redis);
        var labels = "service=\"web\",service_namespace=\"shop\",span_name=\"GET\",span_kind=\"SPAN_KIND_CLIENT\","
            + "status_code=\"STATUS_CODE_UNSET\"}";
        Assert.Equal(3, rig.One("traces_spanmetrics_calls_total", labels));
        Assert.Equal(3, rig.One("traces_spanmetrics_latency_count", labels));
        Assert.Equal(666, rig.One("traces_spanmetrics_response_size_total", labels));
        Assert.Equal(0, rig.One("traces_spanmetrics_size_total", labels));
        Assert.Equal(1, rig.One("traces_spanmetrics_calls_total", "span_name=\"HGET\",span_kind=\"SPAN_KIND_SERVER\""));
    }

    [Fact]
    public void The_service_graph_has_the_names_of_the_peer_and_is_the_agents()
    {
        var rig = new MetricRig(MetricFeatures.ApplicationServiceGraph);
        rig.Add(Samples.Client, 2);
        rig.Add(Samples.Broken);
        Assert.Equal(2, rig.One(
            "traces_service_graph_request_total", "job=\"beyla\"", "client=\"web\",client_service_namespace=\"shop\",server=\"api\"}"));
        Assert.Equal(2, rig.One("traces_service_graph_request_client_seconds_count"));
        Assert.Equal(1, rig.One("traces_service_graph_request_server_seconds_count", "client=\"incoming\",server=\"nginx\"}"));
        Assert.Equal(1, rig.One("traces_service_graph_request_failed_total", "server=\"nginx\""));
    }

    [Fact]
    public void A_service_that_calls_itself_is_no_edge()
    {
        var rig = new MetricRig(MetricFeatures.ApplicationServiceGraph);
        rig.Add(Samples.Client.With(SpanAttribute.HttpRequestHeaderHost, "WEB:3040"));
        Assert.Empty(rig.All());
    }
}
