using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Beyla.Live.Tests.Export;

/// <summary>Requests written by hand, for the tests of what is exported to: nothing of the agent.</summary>
internal static class OtlpSender
{
    /// <summary>One span (opentelemetry-proto, trace.proto), field by field; its name is <c>GET /a</c>, its service <c>shop</c>.</summary>
    public static byte[] Protobuf { get; } = Convert.FromHexString(string.Concat(
        "0A", "78", // resource_spans 1
        "0A", "34", "0A", "16", // resource 1: attributes 1
        "0A", "0C", Hex("service.name"), "12", "06", "0A", "04", Hex("shop"), // key 1, value 2: string_value 1
        "0A", "1A", "0A", "13", Hex("service.instance.id"), "12", "03", "0A", "01", Hex("i"),
        "12", "40", "12", "3E", // scope_spans 2: spans 2
        "0A", "10", "0102030405060708090A0B0C0D0E0F10", // trace_id 1
        "12", "08", "1112131415161718", // span_id 2
        "2A", "06", Hex("GET /a"), // name 5
        "30", "02", // kind 6: server
        "39", "00CA9A3B00000000", // start_time_unix_nano 7: 1,000,000,000
        "4A", "09", "0A", "01", Hex("n"), "12", "04", "18", "80", "80", "01", // attributes 9: int_value 3 = 16384
        "7A", "02", "18", "02")); // status 15: code 3 = error

    /// <summary>A request with one resource and <paramref name="count"/> spans, in OTLP's JSON form; span ids count from 1.</summary>
    public static string Json(string service, int count, string trace = "0102030405060708090a0b0c0d0e0f10", int first = 1)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000;
        var spans = Enumerable.Range(first, count).Select(i => new
        {
            traceId = trace, spanId = i.ToString("x16", null), name = $"GET /{i}", kind = 2,
            startTimeUnixNano = $"{now}", endTimeUnixNano = $"{now + 5_000_000}",
            attributes = new object[]
            {
                new { key = "http.response.status_code", value = new { intValue = "200" } },
                new { key = "url.path", value = new { stringValue = $"/{i}" } },
            },
        });
        var resource = new
        {
            attributes = new[]
            {
                new { key = "service.name", value = new { stringValue = service } },
                new { key = "service.instance.id", value = new { stringValue = "i" } },
            },
        };
        return JsonSerializer.Serialize(new { resourceSpans = new[] { new { resource, scopeSpans = new[] { new { spans } } } } });
    }

    /// <summary>A client that trusts an authority, and shows its client's certificate where that is asked for.</summary>
    public static HttpClient Client(TestAuthority? authority = null, bool shows = true)
    {
        SocketsHttpHandler handler = new();
        if (authority is not null)
        {
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
                    CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(authority.Root) },
                },
                ClientCertificates = shows ? [X509Certificate2.CreateFromPemFile(authority.Client, authority.ClientKey)] : null,
            };
        }

        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(20) };
    }

    /// <summary>A POST with a body of this type, compressed or not.</summary>
    public static HttpRequestMessage Post(string url, byte[] body, string type, bool gzip = false)
    {
        HttpRequestMessage request = new(HttpMethod.Post, url) { Content = new ByteArrayContent(gzip ? Compress(body) : body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        if (gzip)
        {
            request.Content.Headers.ContentEncoding.Add("gzip");
        }

        return request;
    }

    public static HttpRequestMessage Post(string url, string json) => Post(url, Encoding.UTF8.GetBytes(json), "application/json");

    /// <summary>
    /// A unary call of gRPC (PROTOCOL-HTTP2.md): the message after a byte that says whether it is compressed, and its length.
    /// </summary>
    public static HttpRequestMessage Call(string url, byte[] message, bool gzip = false)
    {
        byte[] sent = gzip ? Compress(message) : message;
        byte[] frame = new byte[5 + sent.Length];
        frame[0] = gzip ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), sent.Length);
        sent.CopyTo(frame, 5);
        HttpRequestMessage request = Post($"{url}/opentelemetry.proto.collector.trace.v1.TraceService/Export", frame, "application/grpc");
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (gzip)
        {
            request.Headers.Add("grpc-encoding", "gzip");
        }

        return request;
    }

    /// <summary>The status of a call: in the trailers, or with an answer of header fields alone among these.</summary>
    public static async Task<int> StatusAsync(HttpResponseMessage response)
    {
        await response.Content.LoadIntoBufferAsync();
        HttpResponseHeaders where = response.TrailingHeaders.Contains("grpc-status") ? response.TrailingHeaders : response.Headers;
        return int.Parse(Assert.Single(where.GetValues("grpc-status")), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string Hex(string text) => Convert.ToHexString(Encoding.ASCII.GetBytes(text));

    private static byte[] Compress(byte[] body)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Fastest))
        {
            gzip.Write(body);
        }

        return compressed.ToArray();
    }
}
