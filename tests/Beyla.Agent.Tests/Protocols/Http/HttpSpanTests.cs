using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>
/// The attributes of HTTP spans by the semantic conventions of OpenTelemetry
/// (https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
/// </summary>
public class HttpSpanTests
{
    private const string Request = "POST /p?q=1 HTTP/1.1\r\nHost: a:81\r\nContent-Length: 2\r\n\r\nxy";
    private const string Common = "HttpRequestMethod=POST UrlPath=/p UrlQuery=q=1 ";

    [Theory]
    [InlineData(200, "")]
    [InlineData(404, "")]
    [InlineData(499, "")]
    [InlineData(500, "ErrorType=500 ")]
    [InlineData(503, "ErrorType=503 ")]
    public void Of_a_server_errors_begin_at_500(int status, string error)
    {
        var rig = new ValuesRig();
        rig.Wire.Receive(Request);
        rig.Wire.Send($"HTTP/1.1 {status} X\r\nContent-Length: 3\r\n\r\nabc");
        Assert.Equal(
            [$"Name=POST {error}{Common}HttpResponseStatusCode={status} HttpRequestHeaderHost=a:81 NetworkProtocolVersion=1.1 "
                + "HttpRequestBodySize=2 HttpResponseBodySize=3"], rig.Spans);
    }

    [Theory]
    [InlineData(399, "")]
    [InlineData(400, "ErrorType=400 ")]
    [InlineData(500, "ErrorType=500 ")]
    public void Of_a_client_they_begin_at_400(int status, string error)
    {
        var rig = new ValuesRig();
        rig.Wire.Send("GET / HTTP/1.0\r\n\r\n");
        rig.Wire.Receive($"HTTP/1.0 {status} X\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal(
            [$"Name=GET {error}HttpRequestMethod=GET UrlPath=/ HttpResponseStatusCode={status} NetworkProtocolVersion=1.0 "
                + "HttpRequestBodySize=0 HttpResponseBodySize=0"], rig.Spans);
    }

    /// <summary>The convention: HTTP, where the method is not known to the instrumentation.</summary>
    [Fact]
    public void Any_method_is_shown_and_only_known_ones_are_names()
    {
        foreach (var method in (string[])["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "QUERY", "PROPFIND", "Xget", "GEt"])
        {
            var rig = new ValuesRig();
            rig.Wire.Receive($"{method} /x HTTP/1.1\r\n\r\n");
            rig.Wire.Send("HTTP/1.1 204 N\r\n\r\n");
            var name = method is "PROPFIND" or "Xget" or "GEt" ? "HTTP" : method;
            Assert.StartsWith($"Name={name} HttpRequestMethod={method} ", Assert.Single(rig.Spans), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Without_a_response_the_reason_is_the_error()
    {
        var closed = new ValuesRig();
        closed.Wire.Receive("GET /x HTTP/1.1\r\n\r\n");
        closed.Wire.Close();
        Assert.Equal(
            ["Name=GET ErrorType=connection_closed HttpRequestMethod=GET UrlPath=/x NetworkProtocolVersion=1.1 "
                + "HttpRequestBodySize=0"], closed.Spans);
        var late = new ValuesRig(TimeSpan.FromSeconds(1));
        late.Wire.Send("GET /x HTTP/1.1\r\n\r\n");
        late.Tracer.Tick(late.Wire.Time + 2_000_000_000);
        Assert.Contains("ErrorType=timeout ", Assert.Single(late.Spans), StringComparison.Ordinal);
        Assert.Contains("HttpResponseStatusCode=408 ", Assert.Single(late.Spans), StringComparison.Ordinal);
        var part = new ValuesRig();
        part.Wire.Send("GET /x HTTP/1.1\r\n\r\n");
        part.Wire.Receive("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
        part.Wire.Close();
        Assert.Contains("ErrorType=connection_closed ", Assert.Single(part.Spans), StringComparison.Ordinal);
        var unseen = new ValuesRig();
        unseen.Wire.Receive("GET /x HTTP/1.1\r\n\r\n");
        unseen.Wire.Forget();
        Assert.DoesNotContain("ErrorType", Assert.Single(unseen.Spans), StringComparison.Ordinal);
    }

    private sealed class ValuesRig : ISpanSink
    {
        public ValuesRig(TimeSpan timeout = default)
        {
            Tracer = new Tracer(new TracerOptions(), new HttpProtocol(new HttpOptions { RequestTimeout = timeout }, this));
            Wire = new Wire(Tracer);
        }

        public Tracer Tracer { get; }

        public Wire Wire { get; }

        public List<string> Spans { get; } = [];

        public void OnSpan(in SpanData span)
        {
            Assert.Equal(ProtocolId.Http, span.Protocol);
            var values = span.Values;
            Spans.Add(string.Join(' ', Enum.GetValues<SpanAttribute>().Where(values.Has).Select(attribute => $"{attribute}="
                + (values.IsNumber(attribute) ? $"{values.Number(attribute, 0)}" : Encoding.UTF8.GetString(values.Text(attribute))))));
        }
    }
}
