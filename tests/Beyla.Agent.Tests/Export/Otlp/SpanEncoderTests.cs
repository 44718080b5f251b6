using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Configuration;
using static Beyla.Agent.Tests.Export.Otlp.Proto;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>
/// Spans against fields that are built by the numbers of opentelemetry/proto/trace/v1/trace.proto and the names of the semantic
/// conventions (HTTP spans, database client spans).
/// </summary>
public sealed class SpanEncoderTests
{
    private const int Attributes = 9;

    private const ulong Start = 1_787_213_472_820_111, Duration = 1_900_000;

    [Fact]
    public void A_client_span_of_HTTP() => AssertIs(
        Samples.Client.With(SpanAttribute.TraceState, "vendor=1"),
        Hex(1, "4bf92f3577b34da6a3ce929d0e0e4736"), Hex(2, "00f067aa0ba902b7"), Text(3, "vendor=1"), Hex(4, "53995c3f42cd8ad8"),
        Text(5, "GET"), Int(6, 3), Fixed64(7, Start * 1000), Fixed64(8, (Start + Duration) * 1000), Fixed32(16, 0x101),
        Attribute(Attributes, "http.request.method", "GET"), Attribute(Attributes, "http.response.status_code", 200),
        Attribute(Attributes, "network.protocol.version", "1.1"),
        Attribute(Attributes, "url.full", "http://api:3040/users?id=7&token=abc"),
        Attribute(Attributes, "server.address", "api"), Attribute(Attributes, "server.port", 3040),
        Attribute(Attributes, "network.peer.address", "10.0.0.2"), Attribute(Attributes, "network.peer.port", 3040),
        Attribute(Attributes, "beyla.parent.source", "thread"));

    [Fact]
    public void A_server_span_that_failed_and_has_no_parent() => AssertIs(
        Samples.Broken,
        Hex(1, "0af7651916cd43dd8448eb211c80319c"), Hex(2, "53995c3f42cd8ad8"),
        Text(5, "POST"), Int(6, 2), Fixed64(7, Start * 1000), Fixed64(8, (Start + Duration) * 1000), Fixed32(16, 0),
        Len(15, Int(3, 2)), Attribute(Attributes, "error.type", "connection_closed"),
        Attribute(Attributes, "http.request.method", "POST"), Attribute(Attributes, "url.path", "/upload file\u001b[31m"),
        Attribute(Attributes, "network.protocol.version", "1.0"), Attribute(Attributes, "url.scheme", "http"),
        Attribute(Attributes, "server.address", "::1"), Attribute(Attributes, "server.port", 80),
        Attribute(Attributes, "client.address", "2001:db8::1"),
        Attribute(Attributes, "network.peer.address", "2001:db8::1"), Attribute(Attributes, "network.peer.port", 50000));

    [Fact]
    public void A_server_span_whose_parent_is_in_another_process()
    {
        var span = Samples.Broken;
        var context = span.Context with { ParentId = 1, Flags = TraceContext.Sampled, Source = ParentSource.Header };
        var fields = Sorted(Encode(span with { Context = context }));
        Assert.Contains(Convert.ToHexString(Hex(4, "0000000000000001")), fields);
        Assert.Contains(Convert.ToHexString(Fixed32(16, 0x301)), fields);
        Assert.Contains(Convert.ToHexString(Attribute(Attributes, "beyla.parent.source", "header")), fields);
    }

    [Fact]
    public void A_client_span_of_a_database_that_failed() => AssertIs(
        Samples.Postgres,
        Hex(1, "4bf92f3577b34da6a3ce929d0e0e4736"), Hex(2, "00f067aa0ba902b7"), Hex(4, "53995c3f42cd8ad8"),
        Text(5, "INSERT orders"), Int(6, 3), Fixed64(7, Start * 1000), Fixed64(8, (Start + Duration) * 1000), Fixed32(16, 0x101),
        Len(15, Int(3, 2)), Attribute(Attributes, "error.type", "23505"),
        Attribute(Attributes, "db.system.name", "postgresql"), Attribute(Attributes, "db.namespace", "shop"),
        Attribute(Attributes, "db.query.summary", "INSERT orders"),
        Attribute(Attributes, "db.query.text", "INSERT INTO orders VALUES ($1, ?)"), Attribute(Attributes, "db.operation.name", "INSERT"),
        Attribute(Attributes, "db.collection.name", "orders"), Attribute(Attributes, "db.response.status_code", "23505"),
        Attribute(Attributes, "server.address", "10.0.0.2"), // 5432 is the port that needs no words
        Attribute(Attributes, "network.peer.address", "10.0.0.2"), Attribute(Attributes, "network.peer.port", 5432),
        Attribute(Attributes, "beyla.parent.source", "thread"));

    /// <summary>
    /// OpenTelemetry specification, "Attribute Limits": what is beyond is dropped, and dropped_attributes_count, field 10, says how many.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(127)]
    public void Attributes_beyond_the_limit_are_dropped_and_counted(int limit)
    {
        // The ten attributes of the span above that failed, in fields 9: a tag of one byte, 0x4A.
        var all = Sorted(Encode(Samples.Broken));
        var kept = Sorted(Encode(Samples.Broken, new SpanEncoder(AttributeSelection.None, countLimit: limit)));
        Assert.Equal(10, Count(all));
        Assert.Equal(Math.Min(limit, 10), Count(kept));
        Assert.Equal(limit < 10, kept.Contains(Convert.ToHexString(Int(10, (ulong)(10 - limit)))));
        // What is no attribute stays, and of them that which says what failed is the last to go.
        Assert.Equal(all.Where(IsOther), kept.Where(field => IsOther(field) && !field.StartsWith("50", StringComparison.Ordinal)));
        Assert.Equal(limit > 0, kept.Contains(Convert.ToHexString(Attribute(Attributes, "error.type", "connection_closed"))));

        static bool IsOther(string field) => !field.StartsWith("4A", StringComparison.Ordinal);

        static int Count(string[] fields) => fields.Count(static field => !IsOther(field));
    }

    [Theory]
    [InlineData(5432, false)]
    [InlineData(5433, true)]
    public void The_port_of_a_database_is_told_where_it_is_not_the_usual_one(int port, bool told) => Assert.Equal(
        told, Has(Samples.Postgres with { ServerPort = (ushort)port }, Attribute(Attributes, "server.port", port)));

    [Fact]
    public void A_proxy_that_names_the_client_is_the_peer()
    {
        var span = Samples.Broken with { IsClientNamed = true, PeerAddress = Samples.At("10.9.9.9"), PeerPort = 777 };
        Assert.True(Has(span, Attribute(Attributes, "client.address", "2001:db8::1")));
        Assert.True(Has(span, Attribute(Attributes, "network.peer.address", "10.9.9.9")));
        Assert.True(Has(span, Attribute(Attributes, "network.peer.port", 777)));
    }

    [Theory]
    [InlineData("[2001:db8::7]:8443", "2001:db8::7", 8443, "http://[2001:db8::7]:8443/users")]
    [InlineData("[::1]", "::1", 80, "http://[::1]/users")]
    [InlineData("example.com", "example.com", 80, "http://example.com/users")]
    [InlineData("example.com:", "example.com", 80, "http://example.com:/users")]
    [InlineData("example.com:80", "example.com", 80, "http://example.com:80/users")]
    [InlineData("", "10.0.0.2", 3040, "http://10.0.0.2:3040/users")]
    [InlineData("a:b:c", "10.0.0.2", 3040, "http://10.0.0.2:3040/users")]
    [InlineData("example.com:99999", "10.0.0.2", 3040, "http://10.0.0.2:3040/users")]
    public void The_host_of_a_request_is_the_server(string host, string address, int port, string url)
    {
        var span = Samples.Client.With(SpanAttribute.HttpRequestHeaderHost, host).With(SpanAttribute.UrlQuery, "");
        Assert.True(Has(span, Attribute(Attributes, "server.address", address)));
        Assert.True(Has(span, Attribute(Attributes, "server.port", port)));
        Assert.True(Has(span, Attribute(Attributes, "url.full", url)));
    }

    [Theory]
    [InlineData(3040, "http://[2001:db8::5]:3040/users")]
    [InlineData(80, "http://[2001:db8::5]/users")]
    public void An_IPv6_address_in_a_URL_is_in_brackets(int port, string url)
    {
        // RFC 3986 section 3.2.2.
        var span = (Samples.Client with { ServerAddress = Samples.At("2001:db8::5"), ServerPort = (ushort)port })
            .With(SpanAttribute.HttpRequestHeaderHost, "").With(SpanAttribute.UrlQuery, "");
        Assert.True(Has(span, Attribute(Attributes, "server.address", "2001:db8::5")));
        Assert.True(Has(span, Attribute(Attributes, "url.full", url)));
    }

    [Fact]
    public void Text_that_is_not_UTF_8_is_sent_as_such()
    {
        var span = Samples.Broken.With(SpanAttribute.UrlPath, [0x2f, 0xff, 0x61]).With(SpanAttribute.Name, [0xc3])
            .With(SpanAttribute.TraceState, [0x80]).With(SpanAttribute.ErrorType, [0xfe]);
        Assert.True(Has(span, Attribute(Attributes, "url.path", "/\ufffda")));
        Assert.True(Has(span, Text(5, "\ufffd")));
        Assert.True(Has(span, Text(3, "\ufffd")));
        Assert.True(Has(span, Attribute(Attributes, "error.type", "\ufffd")));
    }

    [Fact]
    public void Values_are_cut_on_characters_and_the_name_of_a_span_is_no_value()
    {
        // OpenTelemetry, "Attribute Limits": texts are cut to so many characters; names of spans are no attributes.
        var span = Samples.Client.With(SpanAttribute.HttpRequestMethod, "aé€😀z").With(SpanAttribute.Name, "a long name")
            .With(SpanAttribute.HttpRequestHeaderHost, "example.com").With(SpanAttribute.ErrorType, "timeout");
        var fields = Sorted(Encode(span, new SpanEncoder(AttributeSelection.None, 4)));
        Assert.Contains(Convert.ToHexString(Attribute(Attributes, "http.request.method", "aé€😀")), fields);
        Assert.Contains(Convert.ToHexString(Text(5, "a long name")), fields);
        Assert.Contains(Convert.ToHexString(Attribute(Attributes, "url.full", "http")), fields);
        Assert.Contains(Convert.ToHexString(Attribute(Attributes, "server.address", "exam")), fields);
        Assert.Contains(Convert.ToHexString(Attribute(Attributes, "error.type", "time")), fields);
    }

    [Fact]
    public void A_span_without_a_trace_gets_one_of_its_own()
    {
        var seen = new HashSet<string>();
        var encoder = new SpanEncoder(AttributeSelection.None);
        for (var i = 0; i < 100; i++)
        {
            var fields = Sorted(Encode(Samples.Broken with { Context = default }, encoder));
            var trace = Assert.Single(fields, static field => field.StartsWith("0A10", StringComparison.Ordinal));
            Assert.NotEqual("0A10" + new string('0', 32), trace);
            Assert.True(seen.Add(trace));
            var id = Assert.Single(fields, static field => field.StartsWith("1208", StringComparison.Ordinal));
            Assert.NotEqual("1208" + new string('0', 16), id);
        }
    }

    [Fact]
    public void Each_key_is_there_once_whatever_a_span_has()
    {
        foreach (var span in (SpanData[])[Samples.Client, Samples.Broken, Samples.Postgres, Samples.Redis])
        {
            var keys = Sorted(Encode(span, new SpanEncoder(AttributeSelectionTests.Of("{traces: {include: ['*']}}"))))
                .Where(static field => field.StartsWith("4A", StringComparison.Ordinal))
                .Select(static field => Convert.FromHexString(field)).Select(static field => KeyOf(field)).ToList();
            Assert.NotEmpty(keys);
            Assert.Equal(keys.Count, keys.Distinct().Count());
        }
    }

    [Fact]
    public void Attributes_are_left_out_and_added()
    {
        var span = Samples.Client;
        var selection = AttributeSelectionTests.Of(
            "{traces: {include: [http.response.body.size], exclude: ['server.*', url_full, network.peer.port, error.type]}}");
        string[] selected = Keys(span, selection), all = Keys(span, AttributeSelection.None);
        string[] without = ["server.address", "server.port", "url.full", "network.peer.port", "error.type"];
        Assert.Contains("http.response.body.size", selected);
        Assert.DoesNotContain("http.response.body.size", all);
        Assert.Subset(all.ToHashSet(), selected.Except(["http.response.body.size"]).ToHashSet());
        Assert.Equal(all.Except(without).Append("http.response.body.size").Order(), selected.Order());
    }

    private static string[] Keys(SpanData span, AttributeSelection selection) =>
        [.. Sorted(Encode(span, new SpanEncoder(selection)))
            .Where(static field => field.StartsWith("4A", StringComparison.Ordinal))
            .Select(static field => KeyOf(Convert.FromHexString(field)))];

    internal static byte[] Encode(SpanData span, SpanEncoder? encoder = null)
    {
        var writer = new ProtobufWriter();
        var exported = new ExportedSpan(in span) { Process = Samples.Web, Start = (long)Start, Duration = (long)Duration };
        (encoder ?? new SpanEncoder(AttributeSelection.None)).Write(in exported, writer, 2);
        var reader = new ProtobufReader(writer.Written);
        Assert.True(reader.Read());
        Assert.Equal(2, reader.Field);
        return reader.Bytes.ToArray();
    }

    private static string KeyOf(byte[] attribute)
    {
        var reader = new ProtobufReader(attribute);
        Assert.True(reader.Read());
        reader = new ProtobufReader(reader.Bytes);
        Assert.True(reader.Read());
        return Encoding.UTF8.GetString(reader.Bytes);
    }

    private static bool Has(SpanData span, byte[] field) => Sorted(Encode(span)).Contains(Convert.ToHexString(field));

    private static void AssertIs(SpanData span, params byte[][] fields) => Assert.Equal(SortedFields(fields), Sorted(Encode(span)));
}
