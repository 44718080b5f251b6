using System.Net;
using System.Text;
using Beyla.Agent.Export;

namespace Beyla.Agent.Tests.Export;

public class JsonFormatTests
{
    internal static readonly string ClientLine = """
        {"type":"span","kind":"client","protocol":"http","name":"GET","outcome":"complete","start":"2026-08-20T08:11:12.820111Z",
        "handlerStart":"2026-08-20T08:11:12.820811Z","end":"2026-08-20T08:11:12.822011Z","durationUSec":1900,"handlerDurationUSec":1200,
        "clientAddress":"10.0.0.1","clientPort":46876,"serverAddress":"10.0.0.2","serverPort":3040,"tid":4712,
        "networkNamespace":4026531840,"connection":"1f2e3d","pid":4711,"executable":"/usr/bin/dotnet","serviceName":"web",
        "serviceNamespace":"shop","language":"dotnet",
        "traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","parentId":"53995c3f42cd8ad8",
        "parentSource":"thread","traceFlags":1,
        "attributes":{"http.request.method":"GET","url.path":"/users",
        "url.query":"id=7&token=***","http.response.status_code":200,"http.request.header.host":"api:3040",
        "network.protocol.version":"1.1","http.request.body.size":0,"http.response.body.size":222}}
        """.ReplaceLineEndings("");

    internal static readonly string BrokenLine = """
        {"type":"span","kind":"server","protocol":"http","name":"POST","outcome":"closed","errorType":"connection_closed",
        "start":"2026-08-20T08:11:13.000000Z","handlerStart":"2026-08-20T08:11:13.000000Z","end":"2026-08-20T08:12:14.500000Z",
        "durationUSec":61500000,"handlerDurationUSec":61500000,"clientAddress":"2001:db8::1","clientPort":50000,"serverAddress":"::1",
        "serverPort":80,"tid":12,"networkNamespace":4026532000,"connection":"5","pid":12,"executable":"/usr/sbin/nginx",
        "serviceName":"nginx","language":"generic",
        "traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"53995c3f42cd8ad8","traceFlags":0,
        "attributes":{"http.request.method":"POST",
        "url.path":"/upload file\u001b[31m","network.protocol.version":"1.0"}}
        """.ReplaceLineEndings("");

    internal static readonly string PostgresLine = """
        {"type":"span","kind":"client","protocol":"postgresql","name":"INSERT orders","outcome":"complete","errorType":"23505",
        "start":"2026-08-20T08:11:12.820111Z","handlerStart":"2026-08-20T08:11:12.820811Z","end":"2026-08-20T08:11:12.822011Z",
        "durationUSec":1900,"handlerDurationUSec":1200,"clientAddress":"10.0.0.1","clientPort":46876,"serverAddress":"10.0.0.2",
        "serverPort":5432,"tid":4712,"networkNamespace":4026531840,"connection":"1f2e3d","pid":4711,"executable":"/usr/bin/dotnet",
        "serviceName":"web","serviceNamespace":"shop","language":"dotnet",
        "traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","parentId":"53995c3f42cd8ad8",
        "parentSource":"thread","traceFlags":1,
        "attributes":{"db.system.name":"postgresql",
        "db.namespace":"shop","db.query.summary":"INSERT orders","db.query.text":"INSERT INTO orders VALUES ($1, ?)",
        "db.operation.name":"INSERT","db.collection.name":"orders","db.response.status_code":"23505"}}
        """.ReplaceLineEndings("");

    internal static readonly string RedisLine = """
        {"type":"span","kind":"server","protocol":"redis","name":"HGET","outcome":"complete","start":"2026-08-20T08:11:13.000000Z",
        "handlerStart":"2026-08-20T08:11:13.000000Z","end":"2026-08-20T08:11:13.000350Z","durationUSec":350,"handlerDurationUSec":350,
        "clientAddress":"2001:db8::1","clientPort":50000,"serverAddress":"::1","serverPort":6379,"tid":12,"networkNamespace":4026532000,
        "connection":"5","pid":12,"executable":"/usr/sbin/nginx","serviceName":"nginx","language":"generic",
        "traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"53995c3f42cd8ad8","traceFlags":0,
        "attributes":{"db.system.name":"redis","db.namespace":"0","db.query.text":"HGET basket:17 item","db.operation.name":"HGET"}}
        """.ReplaceLineEndings("");

    /// <summary>The lines of the two HTTP spans as an agent of version 1 of the stream wrote them.</summary>
    internal static readonly string[] Version1 =
    [
        """
        {"type":"span","kind":"client","protocol":"http","outcome":"complete","start":"2026-08-20T08:11:12.820111Z",
        "handlerStart":"2026-08-20T08:11:12.820811Z","end":"2026-08-20T08:11:12.822011Z","durationUSec":1900,"handlerDurationUSec":1200,
        "method":"GET","path":"/users","query":"id=7&token=***","status":200,"host":"api:3040","protocolVersion":"1.1",
        "requestBodyLength":0,"responseBodyLength":222,"clientAddress":"10.0.0.1","clientPort":46876,"serverAddress":"10.0.0.2",
        "serverPort":3040,"tid":4712,"networkNamespace":4026531840,"connection":"1f2e3d","pid":4711,"executable":"/usr/bin/dotnet",
        "serviceName":"web","serviceNamespace":"shop","language":"dotnet"}
        """.ReplaceLineEndings(""),
        """
        {"type":"span","kind":"server","protocol":"http","outcome":"closed","start":"2026-08-20T08:11:13.000000Z",
        "handlerStart":"2026-08-20T08:11:13.000000Z","end":"2026-08-20T08:12:14.500000Z","durationUSec":61500000,
        "handlerDurationUSec":61500000,"method":"POST","path":"/upload file\u001b[31m","status":0,"protocolVersion":"1.0",
        "clientAddress":"2001:db8::1","clientPort":50000,"serverAddress":"::1","serverPort":80,"tid":12,"networkNamespace":4026532000,
        "connection":"5","pid":12,"executable":"/usr/sbin/nginx","serviceName":"nginx","language":"generic"}
        """.ReplaceLineEndings(""),
    ];

    [Fact]
    public void ClientSpan() => Assert.Equal(ClientLine + "\n", Samples.Format(new JsonFormat(), Samples.Client));

    [Fact]
    public void BrokenServerSpan() => Assert.Equal(BrokenLine + "\n", Samples.Format(new JsonFormat(), Samples.Broken));

    [Fact]
    public void SpansOfDatabases()
    {
        Assert.Equal(PostgresLine + "\n", Samples.Format(new JsonFormat(), Samples.Postgres));
        Assert.Equal(RedisLine + "\n", Samples.Format(new JsonFormat(), Samples.Redis));
    }

    [Fact]
    public void IndentedIsTheSameObject()
    {
        var indented = Samples.Format(new JsonFormat(indent: true), Samples.Client);
        Assert.StartsWith("{\n  \"type\": \"span\",\n  \"kind\": \"client\",\n", indented, StringComparison.Ordinal);
        Assert.EndsWith("\n    \"http.response.body.size\": 222\n  }\n}\n", indented, StringComparison.Ordinal);
        using var document = System.Text.Json.JsonDocument.Parse(indented);
        Assert.Equal(ClientLine, System.Text.Json.JsonSerializer.Serialize(document.RootElement, Plain));
    }

    [Fact]
    public void ReaderOfTheContractsGetsEqualValues()
    {
        var line = new StreamLineParser().Parse(Encoding.UTF8.GetBytes(Samples.Format(new JsonFormat(), Samples.Client)));
        Assert.Null(line.Error);
        var span = line.Span!;
        Assert.Equal(SpanKind.Client, span.Kind);
        Assert.Equal("http", span.Protocol);
        Assert.Equal(SpanOutcome.Complete, span.Outcome);
        Assert.Equal(new DateTimeOffset(2026, 8, 20, 8, 11, 12, TimeSpan.Zero).AddTicks(8_201_110), span.Start);
        Assert.Equal(TimeSpan.FromMicroseconds(1900), span.Duration);
        Assert.Equal(TimeSpan.FromMicroseconds(1200), span.HandlerDuration);
        Assert.Equal(span.Start.AddTicks(19000), span.End);
        Assert.Equal(span.Start.AddTicks(7000), span.HandlerStart);
        Assert.Equal(("GET", "/users", "id=7&token=***", 200, "api:3040"),
            (span.Method, span.Path, span.Query, span.StatusCode, span.Host));
        Assert.Equal(("1.1", "GET", "GET", "/users", "200"),
            (span.ProtocolVersion, span.Name, span.Operation, span.Target, span.Status));
        Assert.Equal((0L, 222L), (span.RequestBodyLength!.Value, span.ResponseBodyLength!.Value));
        Assert.Equal((IPAddress.Parse("10.0.0.1"), 46876), (span.LocalAddress, span.LocalPort));
        Assert.Equal((IPAddress.Parse("10.0.0.2"), 3040), (span.RemoteAddress, span.RemotePort));
        Assert.Equal((4711, 4712, 4026531840L, 0x1f2e3dUL), (span.ProcessId, span.ThreadId, span.NetworkNamespace, span.Connection));
        Assert.Equal(("web", "shop", ProcessLanguage.Dotnet), (span.ServiceName, span.ServiceNamespace, span.Language));
        Assert.Equal(("/usr/bin/dotnet", "dotnet"), (span.Executable, span.ProcessName));
    }

    private static readonly System.Text.Json.JsonSerializerOptions Plain =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public void UnknownLengthsAreNull()
    {
        var span = new StreamLineParser().Parse(Encoding.UTF8.GetBytes(BrokenLine)).Span!;
        Assert.Null(span.RequestBodyLength);
        Assert.Null(span.ResponseBodyLength);
        Assert.Equal(SpanOutcome.Closed, span.Outcome);
        Assert.Equal((IPAddress.IPv6Loopback, 80), (span.LocalAddress, span.LocalPort));
        Assert.Equal("/upload file\u001b[31m", span.Path);
    }
}
