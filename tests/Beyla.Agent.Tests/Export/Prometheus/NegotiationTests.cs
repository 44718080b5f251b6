using System.Text;
using Beyla.Agent.Export.Prometheus;

namespace Beyla.Agent.Tests.Export.Prometheus;

/// <summary>RFC 9110 sections 12.4.2, 12.5.1, 12.5.3; what clients send was recorded.</summary>
public sealed class NegotiationTests
{
    [Theory]
    [InlineData("", PageFormat.Text)]
    [InlineData("Accept: */*", PageFormat.Text)] // curl
    [InlineData("Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", PageFormat.OpenMetrics)] // Prometheus 2.42
    [InlineData("Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
        + "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
        + "text/plain;version=0.0.4;q=0.2,*/*;q=0.1", PageFormat.OpenMetrics)] // Prometheus 3
    [InlineData("Accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
        + "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5", PageFormat.OpenMetrics)]
    [InlineData("Accept: application/vnd.google.protobuf", PageFormat.Text)]
    [InlineData("Accept: application/openmetrics-text", PageFormat.OpenMetrics)]
    [InlineData("accept:Application/OpenMetrics-Text ; VERSION = \"1.0.0\"", PageFormat.OpenMetrics)]
    [InlineData("Accept: application/openmetrics-text;version=0.0.1", PageFormat.Text)]
    [InlineData("Accept: application/openmetrics-text;q=0", PageFormat.Text)]
    [InlineData("Accept: application/openmetrics-text;q=0.4, text/plain;q=0.5", PageFormat.Text)]
    [InlineData("Accept: application/openmetrics-text;q=0.5, text/plain;q=0.5", PageFormat.OpenMetrics)]
    [InlineData("Accept: application/openmetrics-text;q=nonsense", PageFormat.Text)]
    [InlineData("Accept: application/openmetrics-text;q=7", PageFormat.Text)]
    [InlineData("Accept: text/html\r\nAccept: application/openmetrics-text;version=1.0.0", PageFormat.OpenMetrics)]
    [InlineData("X-Accept: application/openmetrics-text", PageFormat.Text)]
    public void The_format_is_what_the_client_likes_best(string fields, PageFormat expected) =>
        Assert.Equal(expected, Negotiation.Format(Parse(fields)));

    [Theory]
    [InlineData("", false)]
    [InlineData("Accept-Encoding: gzip", true)]
    [InlineData("Accept-Encoding: deflate, GZIP;q=0.5", true)]
    [InlineData("Accept-Encoding: gzip;q=0", false)]
    [InlineData("Accept-Encoding: gzip;q=0.000, *", false)]
    [InlineData("Accept-Encoding: *", true)]
    [InlineData("Accept-Encoding: identity", false)]
    [InlineData("Accept-Encoding: br", false)]
    public void It_is_compressed_only_where_that_is_asked_for(string fields, bool expected) =>
        Assert.Equal(expected, Negotiation.TakesGzip(Parse(fields)));

    private static RequestHead Parse(string fields)
    {
        var head = Encoding.ASCII.GetBytes($"GET /metrics HTTP/1.1\r\nHost: x\r\n{(fields.Length > 0 ? fields + "\r\n" : "")}\r\n");
        Assert.True(RequestHead.TryParse(head, out var request));
        return request;
    }
}
