using System.Globalization;
using System.IO.Compression;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Otlp;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>OTLP/HTTP on the wire (OpenTelemetry Protocol specification, "OTLP/HTTP Request", "OTLP/HTTP Response", "Failures").</summary>
public sealed class OtlpHttpTests
{
    private static readonly byte[] Body = Proto.Len(1, Proto.Len(1, Proto.Attribute(1, "service.name", "web")));

    [Theory]
    [InlineData("200 OK", OtlpVerdict.Taken)]
    [InlineData("301 Moved Permanently", OtlpVerdict.Refused)]
    [InlineData("307 Temporary Redirect", OtlpVerdict.Refused)]
    [InlineData("400 Bad Request", OtlpVerdict.Refused)]
    [InlineData("401 Unauthorized", OtlpVerdict.Refused)]
    [InlineData("403 Forbidden", OtlpVerdict.Refused)]
    [InlineData("404 Not Found", OtlpVerdict.Refused)]
    [InlineData("413 Content Too Large", OtlpVerdict.Refused)]
    [InlineData("429 Too Many Requests", OtlpVerdict.Again)]
    [InlineData("500 Internal Server Error", OtlpVerdict.Refused)]
    [InlineData("501 Not Implemented", OtlpVerdict.Refused)]
    [InlineData("502 Bad Gateway", OtlpVerdict.Again)]
    [InlineData("503 Service Unavailable", OtlpVerdict.Again)]
    [InlineData("504 Gateway Timeout", OtlpVerdict.Again)]
    public void Each_status_has_its_meaning(string status, OtlpVerdict verdict)
    {
        using var receiver = new RawReceiver(
            $"HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:1/\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
        using var http = Connect(receiver);
        var answer = http.Send(Body, default);
        Assert.Equal(verdict, answer.Verdict);
        Assert.Equal(verdict == OtlpVerdict.Again ? TimeSpan.FromSeconds(7) : null, answer.After);
        Assert.Single(receiver.Requests); // redirects are not followed
        if (verdict != OtlpVerdict.Taken)
        {
            Assert.StartsWith("HTTP status " + status[..3], answer.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Retry_after_may_be_a_date()
    {
        var date = DateTimeOffset.UtcNow.AddSeconds(60).ToString("R", CultureInfo.InvariantCulture);
        using var receiver = new RawReceiver($"HTTP/1.1 503 X\r\nRetry-After: {date}\r\nContent-Length: 0\r\n\r\n");
        using var http = Connect(receiver);
        Assert.InRange(http.Send(Body, default).After!.Value.TotalSeconds, 40, 60);
        using var late = new RawReceiver("HTTP/1.1 503 X\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\nContent-Length: 0\r\n\r\n");
        using var second = Connect(late);
        Assert.Equal(TimeSpan.Zero, second.Send(Body, default).After);
        using var odd = new RawReceiver("HTTP/1.1 503 X\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n");
        using var third = Connect(odd);
        Assert.Null(third.Send(Body, default).After);
    }

    [Fact]
    public void The_request_is_what_the_specification_says()
    {
        using var receiver = new RawReceiver("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\n\0");
        using var http = Connect(receiver, static options => options with { Headers = [new("x-key", "a=b c"), new("x-umlaut", "ü")] });
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(new OtlpAnswer(OtlpVerdict.Taken), http.Send(Body, default));
        }

        Assert.Equal(2, receiver.Requests.Count);
        foreach (var (head, body) in receiver.Requests)
        {
            Assert.Equal("POST /own/v1/traces HTTP/1.1", head[0]);
            Assert.Contains("Content-Type: application/x-protobuf", head);
            Assert.Contains("User-Agent: OTel-OTLP-Exporter-beyla/1.2.3", head);
            Assert.Contains("x-key: a=b c", head);
            Assert.Contains("x-umlaut: ü", head);
            Assert.DoesNotContain(head, static line => line.StartsWith("Content-Encoding", StringComparison.OrdinalIgnoreCase)
                || line.StartsWith("traceparent", StringComparison.OrdinalIgnoreCase)
                || line.StartsWith("Cookie", StringComparison.OrdinalIgnoreCase)
                || line.StartsWith("Expect", StringComparison.OrdinalIgnoreCase));
            Assert.Equal(Body, body);
        }
    }

    [Fact]
    public void A_compressed_body_is_the_same_after_decompression()
    {
        using var receiver = new RawReceiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        using var http = Connect(receiver, static options => options with { Compress = true });
        var large = new byte[300_000];
        foreach (var body in (byte[][])[large, Body])
        {
            Assert.Equal(OtlpVerdict.Taken, http.Send(body, default).Verdict);
            var (head, packed) = receiver.Requests[^1];
            Assert.Contains("Content-Encoding: gzip", head);
            using var copy = new MemoryStream();
            using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
            gzip.CopyTo(copy);
            Assert.Equal(body, copy.ToArray());
        }
    }

    [Fact]
    public void JSON_is_sent_and_read_as_JSON()
    {
        const string Answer = """{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}""";
        using var receiver = new RawReceiver(
            $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Answer.Length}\r\n\r\n{Answer}");
        using var http = Connect(receiver, static options => options with { Protocol = OtlpProtocol.HttpJson });
        Assert.Equal(new OtlpAnswer(OtlpVerdict.Taken, 2, "no"), http.Send(Body, default));
        var (head, body) = Assert.Single(receiver.Requests);
        Assert.Contains("Content-Type: application/json", head);
        Assert.Equal(
            """{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]}}]}""",
            System.Text.Encoding.UTF8.GetString(body));
    }

    [Fact]
    public void What_the_receiver_says_of_an_error_is_shown()
    {
        // google.rpc.Status: message 2.
        var status = System.Text.Encoding.Latin1.GetString([.. Proto.Int(1, 3), .. Proto.Text(2, "bad id\u001b")]);
        using var receiver = new RawReceiver(
            $"HTTP/1.1 400 X\r\nContent-Type: application/x-protobuf\r\nContent-Length: {status.Length}\r\n\r\n{status}");
        using var http = Connect(receiver);
        Assert.Equal(new OtlpAnswer(OtlpVerdict.Refused, Reason: "HTTP status 400: bad id\\x1b"), http.Send(Body, default));
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 20")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")]
    public void A_connection_that_is_closed_before_the_answer_is_tried_again(string part)
    {
        using var receiver = new RawReceiver(stream =>
        {
            _ = RawReceiver.Write(stream, part);
            return false;
        });
        using var http = Connect(receiver);
        var answer = http.Send(Body, default);
        Assert.Equal(OtlpVerdict.Again, answer.Verdict);
        Assert.NotEmpty(answer.Reason);
    }

    [Fact]
    public void A_port_at_which_nobody_listens_is_tried_again()
    {
        var receiver = new RawReceiver("");
        using var http = Connect(receiver);
        receiver.Dispose();
        Assert.Equal(OtlpVerdict.Again, http.Send(Body, default).Verdict);
    }

    [Fact]
    public void A_receiver_that_keeps_silent_is_left_after_the_time()
    {
        using var receiver = new RawReceiver(static _ => true);
        using var http = Connect(receiver, static options => options with { Timeout = TimeSpan.FromMilliseconds(200) });
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(new OtlpAnswer(OtlpVerdict.Again, Reason: "no answer within 0.2 s"), http.Send(Body, default));
        Assert.True(watch.ElapsedMilliseconds >= 190);
    }

    [Fact]
    public void The_end_of_the_agent_ends_the_wait()
    {
        using var receiver = new RawReceiver(static _ => true);
        using var http = Connect(receiver, static options => options with { Timeout = TimeSpan.Zero });
        using var limit = new CancellationTokenSource(100);
        Assert.Equal(OtlpVerdict.Again, http.Send(Body, limit.Token).Verdict);
    }

    [Theory]
    [InlineData(4 * 1024 * 1024, OtlpVerdict.Taken)]
    [InlineData((4 * 1024 * 1024) + 1, OtlpVerdict.Refused)]
    public void An_answer_above_4_MiB_is_refused(int length, OtlpVerdict verdict)
    {
        using var receiver = new RawReceiver(stream =>
        {
            _ = RawReceiver.Write(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            _ = RawReceiver.Write(stream, $"{length:x}\r\n");
            try
            {
                stream.Write(new byte[length]);
                return RawReceiver.Write(stream, "\r\n0\r\n\r\n");
            }
            catch (IOException)
            {
                return false;
            }
        });
        using var http = Connect(receiver);
        Assert.Equal(verdict, http.Send(Body, default).Verdict);
    }

    [Fact]
    public void Any_answer_is_no_exception()
    {
        var random = new Random(3);
        var seed =
            "HTTP/1.1 200 OK\r\nRetry-After: 5\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\":1}\n"u8.ToArray();
        using var receiver = new RawReceiver(stream =>
        {
            var bytes = seed[..random.Next(seed.Length + 1)];
            for (var changes = random.Next(4); changes > 0 && bytes.Length > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            stream.Write(bytes);
            return false;
        });
        using var http = Connect(receiver, static options => options with { Timeout = TimeSpan.FromSeconds(5) });
        for (var round = 0; round < 500; round++)
        {
            _ = http.Send(Body, default);
        }
    }

    [Fact]
    public void The_target_in_the_log_has_no_query()
    {
        using var http = new OtlpHttp(
            new OtlpConfiguration { Endpoint = new Uri("https://example.com/v1/traces?token=abc") }, OtlpSignal.Traces, "1");
        Assert.Equal("https://example.com/v1/traces", http.Target);
    }

    private static OtlpHttp Connect(RawReceiver receiver, Func<OtlpConfiguration, OtlpConfiguration>? change = null)
    {
        var options = new OtlpConfiguration { Endpoint = new Uri(receiver.Url + "/own/v1/traces"), Timeout = TimeSpan.FromSeconds(30) };
        return new OtlpHttp(change is null ? options : change(options), OtlpSignal.Traces, "1.2.3");
    }
}
