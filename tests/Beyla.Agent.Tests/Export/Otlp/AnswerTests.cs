using System.Net;
using System.Text;
using Beyla.Agent.Export.Otlp;
using static Beyla.Agent.Tests.Export.Otlp.Proto;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>What receivers answer: partial success, status of gRPC, and when they want a request again. Any bytes may come.</summary>
public sealed class AnswerTests
{
    [Theory]
    [InlineData("", 0, "")]
    [InlineData("0A00", 0, "")] // the Aspire dashboard
    [InlineData("0A020803", 3, "")]
    [InlineData("0A0808031204666F6F21", 3, "foo!")]
    [InlineData("0A041202686F", 0, "ho")]
    [InlineData("0A0B08FFFFFFFFFFFFFFFFFF01", 0, "")] // less than nothing
    [InlineData("1A03666F6F0A020801", 1, "")] // a field that is not known
    [InlineData("0AFF", 0, "")] // no message
    public void Partial_success(string digits, long rejected, string message) => Assert.Equal(
        new OtlpAnswer(OtlpVerdict.Taken, rejected, message), PartialSuccess.Of(Convert.FromHexString(digits)));

    [Theory]
    [InlineData("{}", 0, "")]
    [InlineData("", 0, "")]
    [InlineData("""{"partialSuccess":{}}""", 0, "")]
    [InlineData("""{"partialSuccess":{"rejectedSpans":"3","errorMessage":"foo!"}}""", 3, "foo!")]
    [InlineData("""{"partialSuccess":{"rejectedSpans":3}}""", 3, "")]
    [InlineData("""{"partialSuccess":{"rejectedDataPoints":"2"}}""", 2, "")]
    [InlineData("""{"partialSuccess":{"rejectedSpans":"-1"}}""", 0, "")]
    [InlineData("""{"partialSuccess":{"rejectedSpans":null,"errorMessage":null}}""", 0, "")]
    [InlineData("""{"partialSuccess":{"rejectedSpans":1e99,"errorMessage":{}}}""", 0, "")]
    [InlineData("<html>", 0, "")]
    public void Partial_success_in_JSON(string json, long rejected, string message) => Assert.Equal(
        new OtlpAnswer(OtlpVerdict.Taken, rejected, message), PartialSuccess.OfJson(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Messages_are_safe_for_a_terminal_and_short()
    {
        var answer = PartialSuccess.Of(Len(1, Text(2, "\u001b[31m" + new string('x', 1000))));
        Assert.DoesNotContain('\u001b', answer.Reason);
        Assert.InRange(answer.Reason.Length, 100, 300);
    }

    [Theory]
    [InlineData(@"{""errorMessage"":""\ud800""}")] // half of a surrogate pair
    [InlineData("{\"errorMessage\":\"\u00ff\"}")]
    [InlineData(@"{""\ud800"":1}")]
    public void JSON_that_is_no_text_is_taken_like_any_other(string json)
    {
        Assert.Equal(OtlpVerdict.Taken, PartialSuccess.OfJson(Encoding.Latin1.GetBytes(json)).Verdict);
        Assert.Equal(OtlpVerdict.Taken, PartialSuccess.OfJson(Encoding.UTF8.GetBytes(json)).Verdict);
    }

    [Fact]
    public void Any_bytes_are_no_exception()
    {
        var random = new Random(11);
        var seed = """{"partialSuccess":{"rejectedSpans":"3","errorMessage":"fo\u00e9o!\ud83d\ude00"}}"""u8.ToArray();
        byte[] message = [.. Len(1, Int(1, 3), Text(2, "some message")), .. Text(2, "x")];
        for (var round = 0; round < 20_000; round++)
        {
            var json = Mutated(seed, random);
            Assert.Equal(OtlpVerdict.Taken, PartialSuccess.OfJson(json).Verdict);
            var answer = PartialSuccess.Of(Mutated(message, random));
            Assert.Equal(OtlpVerdict.Taken, answer.Verdict);
            Assert.True(answer.Rejected >= 0);
            var status = Mutated(Status(Delay(7, 5)), random);
            _ = RetryInfo.Read(Convert.ToBase64String(status));
            _ = RetryInfo.Read(Encoding.Latin1.GetString(status));
            using var response = new HttpResponseMessage(HttpStatusCode.BadRequest) { Content = new ByteArrayContent([]) };
            response.Content.Headers.ContentType = new(round % 2 == 0 ? "application/x-protobuf" : "application/json");
            _ = PartialSuccess.MessageOf(response, Mutated(message, random));
        }
    }

    [Fact]
    public void The_delay_of_a_status_is_read()
    {
        var status = Status(Delay(2, 500_000_000));
        var base64 = Convert.ToBase64String(status);
        Assert.Equal(TimeSpan.FromSeconds(2.5), RetryInfo.Read(base64));
        Assert.Equal(TimeSpan.FromSeconds(2.5), RetryInfo.Read(base64.TrimEnd('=')));
        Assert.Equal(TimeSpan.Zero, RetryInfo.Read(Convert.ToBase64String(Status(Delay(-5, -1)))));
        Assert.Equal(TimeSpan.Zero, RetryInfo.Read(Convert.ToBase64String(Status([]))));
        // Another detail before it does not hide it; without one there is none.
        byte[] other = Len(3, Text(1, "type.googleapis.com/google.rpc.DebugInfo"), Len(2, Int(1, 1)));
        Assert.Equal(TimeSpan.FromSeconds(1), RetryInfo.Read(Convert.ToBase64String([.. other, .. Status(Delay(1, 0))])));
        Assert.Null(RetryInfo.Read(Convert.ToBase64String(other)));
        Assert.Null(RetryInfo.Read(null));
        Assert.Null(RetryInfo.Read(""));
        Assert.Null(RetryInfo.Read("a"));
        Assert.Null(RetryInfo.Read("é*"));
        Assert.Null(RetryInfo.Read(new string('A', 1_000_000)));
    }

    /// <summary>OpenTelemetry Protocol specification, OTLP/gRPC, "Failures".</summary>
    [Theory]
    [InlineData(1, OtlpVerdict.Again)]
    [InlineData(2, OtlpVerdict.Refused)]
    [InlineData(3, OtlpVerdict.Refused)]
    [InlineData(4, OtlpVerdict.Again)]
    [InlineData(5, OtlpVerdict.Refused)]
    [InlineData(6, OtlpVerdict.Refused)]
    [InlineData(7, OtlpVerdict.Refused)]
    [InlineData(8, OtlpVerdict.Refused)]
    [InlineData(9, OtlpVerdict.Refused)]
    [InlineData(10, OtlpVerdict.Again)]
    [InlineData(11, OtlpVerdict.Again)]
    [InlineData(12, OtlpVerdict.Refused)]
    [InlineData(13, OtlpVerdict.Refused)]
    [InlineData(14, OtlpVerdict.Again)]
    [InlineData(15, OtlpVerdict.Again)]
    [InlineData(16, OtlpVerdict.Refused)]
    [InlineData(99, OtlpVerdict.Refused)]
    public void Status_of_gRPC_in_trailers_or_in_headers_alone(int status, OtlpVerdict verdict)
    {
        foreach (var inTrailers in (bool[])[true, false])
        {
            using var response = Grpc(inTrailers, ("grpc-status", status.ToString()), ("grpc-message", "caf%C3%A9%20closed"));
            var answer = GrpcStatus.Read(response, []);
            Assert.Equal((verdict, null), (answer.Verdict, answer.After));
            Assert.Contains($"gRPC status {status} ", answer.Reason, StringComparison.Ordinal);
            Assert.EndsWith(": café closed", answer.Reason, StringComparison.Ordinal);
            // With a RetryInfo the receiver says when.
            using var delayed = Grpc(
                inTrailers, ("grpc-status", status.ToString()), ("grpc-status-details-bin", Convert.ToBase64String(Status(Delay(3, 0)))));
            answer = GrpcStatus.Read(delayed, []);
            Assert.Equal(status == 8 ? OtlpVerdict.Again : verdict, answer.Verdict);
            Assert.Equal(answer.Verdict == OtlpVerdict.Again ? TimeSpan.FromSeconds(3) : null, answer.After);
        }
    }

    [Fact]
    public void An_answer_of_gRPC_has_a_frame_around_it()
    {
        using var good = Grpc(true, ("grpc-status", "0"));
        var partial = Len(1, Int(1, 3), Text(2, "foo!"));
        Assert.Equal(new OtlpAnswer(OtlpVerdict.Taken, 3, "foo!"), GrpcStatus.Read(good, [0, 0, 0, 0, (byte)partial.Length, .. partial]));
        Assert.Equal(new OtlpAnswer(OtlpVerdict.Taken), GrpcStatus.Read(good, [0, 0, 0, 0, 0]));
        Assert.Equal(new OtlpAnswer(OtlpVerdict.Taken), GrpcStatus.Read(good, [0, 0]));
        Assert.Equal(new OtlpAnswer(OtlpVerdict.Taken), GrpcStatus.Read(good, []));
        Assert.Equal("0000000003414243", Convert.ToHexString(GrpcStatus.Frame("ABC"u8.ToArray(), isPacked: false)));
        Assert.Equal("0100000100", Convert.ToHexString(GrpcStatus.Frame(new byte[256], isPacked: true).AsSpan(0, 5)));
    }

    /// <summary>gRPC, "HTTP to gRPC Status Code Mapping": these four are UNAVAILABLE.</summary>
    [Theory]
    [InlineData(200, OtlpVerdict.Refused)]
    [InlineData(400, OtlpVerdict.Refused)]
    [InlineData(401, OtlpVerdict.Refused)]
    [InlineData(404, OtlpVerdict.Refused)]
    [InlineData(429, OtlpVerdict.Again)]
    [InlineData(502, OtlpVerdict.Again)]
    [InlineData(503, OtlpVerdict.Again)]
    [InlineData(504, OtlpVerdict.Again)]
    public void Without_a_status_of_gRPC_that_of_HTTP_counts(int status, OtlpVerdict verdict)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)status);
        Assert.Equal(verdict, GrpcStatus.Read(response, []).Verdict);
        response.Headers.TryAddWithoutValidation("grpc-status", "-1");
        Assert.Equal(verdict, GrpcStatus.Read(response, []).Verdict);
    }

    /// <summary>google.rpc.Status: code 1, message 2, details 3, each an Any.</summary>
    private static byte[] Status(byte[] retryInfo) =>
        [.. Int(1, 14), .. Text(2, "wait"), .. Len(3, Text(1, "type.googleapis.com/google.rpc.RetryInfo"), Len(2, retryInfo))];

    /// <summary>RetryInfo: retry_delay 1, a Duration of seconds 1 and nanos 2.</summary>
    private static byte[] Delay(long seconds, int nanoseconds) => Len(1, Int(1, (ulong)seconds), Int(2, (ulong)(long)nanoseconds));

    private static HttpResponseMessage Grpc(bool inTrailers, params (string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage(HttpStatusCode.OK);
        foreach (var (name, value) in headers)
        {
            Assert.True(inTrailers ? response.TrailingHeaders.TryAddWithoutValidation(name, value)
                : response.Headers.TryAddWithoutValidation(name, value));
        }

        return response;
    }

    private static byte[] Mutated(byte[] seed, Random random)
    {
        byte[] bytes = [.. seed[..random.Next(seed.Length / 2, seed.Length + 1)]];
        for (var changes = random.Next(4); changes > 0; changes--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return bytes;
    }
}
