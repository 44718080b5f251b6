using Beyla.Agent.Export;

namespace Beyla.Agent.Tests.Export;

public class TextFormatTests
{
    private static readonly TimeZoneInfo TwoHoursEast = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(2), "test", "test");

    private static TextFormat Format() => new(TimeText.Local(TwoHoursEast));

    [Fact]
    public void ClientSpanIsTheLineOfTheReference() => Assert.Equal(
        "2026-08-20 10:11:12.820111 (1.9ms[1.2ms]) HTTPClient(subType=0) 200 GET /users?id=7&token=*** "
        + "[10.0.0.1 as web.shop:46876]->[10.0.0.2 as 10.0.0.2:3040] contentLen:0B responseLen:222B svc=[shop/web dotnet] "
        + "traceparent=[00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7[53995c3f42cd8ad8]-01]\n",
        Samples.Format(Format(), Samples.Client));

    [Fact]
    public void BrokenServerSpanSaysHowItEndedAndEscapes() => Assert.Equal(
        "2026-08-20 10:11:13.000000 (1m1.5s[1m1.5s]) HTTP(subType=0) 0 POST /upload\\x20file\\x1b[31m "
        + "[2001:db8::1 as 2001:db8::1:50000]->[::1 as nginx:80] contentLen:?B responseLen:?B "
        + "svc=[nginx generic] traceparent=[00-0af7651916cd43dd8448eb211c80319c-53995c3f42cd8ad8[0000000000000000]-00] outcome=[closed]\n",
        Samples.Format(Format(), Samples.Broken));

    /// <summary>
    /// EventType.String() and SQLKind of open-telemetry/opentelemetry-ebpf-instrumentation, pkg/appolly/app/request/span.go.
    /// </summary>
    [Fact]
    public void SpansOfDatabasesAreTheLinesOfThePeer()
    {
        const string ends = "[10.0.0.1 as web.shop:46876]->[10.0.0.2 as 10.0.0.2:5432] contentLen:?B responseLen:?B svc=[shop/web dotnet]";
        var postgres = Samples.Postgres;
        Assert.Contains($" SQLClient(subType=1) 1 INSERT orders {ends}", Samples.Format(Format(), in postgres), StringComparison.Ordinal);
        var fine = postgres.With(SpanAttribute.ErrorType, "") with { Kind = SpanKind.Server };
        Assert.Contains(" SQLServer(subType=1) 0 INSERT orders [", Samples.Format(Format(), in fine), StringComparison.Ordinal);
        var bare = fine.With(SpanAttribute.DbOperationName, "").With(SpanAttribute.DbCollectionName, "");
        Assert.Contains(" SQLServer(subType=1) 0 INSERT - [", Samples.Format(Format(), in bare), StringComparison.Ordinal);
        var redis = Samples.Redis;
        Assert.Contains(
            " RedisServer(subType=0) 0 HGET HGET\\x20basket:17\\x20item [", Samples.Format(Format(), in redis), StringComparison.Ordinal);
        var client = redis.With(SpanAttribute.ErrorType, "WRONGTYPE") with { Kind = SpanKind.Client };
        Assert.Contains(" RedisClient(subType=0) 1 HGET ", Samples.Format(Format(), in client), StringComparison.Ordinal);
    }

    [Fact]
    public void ANamedClientIsFollowedByTheProxy()
    {
        var span = Samples.Broken with { IsClientNamed = true, PeerAddress = Samples.At("10.0.0.9"), PeerPort = 4711 };
        Assert.EndsWith(
            "-00] peer=[10.0.0.9:4711] outcome=[closed]\n", Samples.Format(Format(), in span), StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutATraceTheFieldIsEmpty() => Assert.EndsWith(
        " traceparent=[]\n", Samples.Format(Format(), Samples.Client with { Context = default }), StringComparison.Ordinal);

    [Fact]
    public void EmptyMethodAndPathKeepTheirPlace()
    {
        var span = Samples.Client.With(SpanAttribute.HttpRequestMethod, "").With(SpanAttribute.UrlPath, "")
            .With(SpanAttribute.UrlQuery, "");
        Assert.Contains(" 200 - - [10.0.0.1 as", Samples.Format(Format(), in span), StringComparison.Ordinal);
    }

    [Fact]
    public void ServiceNamesAreEscapedToo()
    {
        var process = Samples.Web with { ServiceName = "a b\u001b]0;x\u0007", ServiceNamespace = "n\u202e" };
        Assert.Contains(
            "svc=[n\\u{202e}/a\\x20b\\x1b]0;x\\x07 dotnet]", Samples.Format(Format(), Samples.Client, process), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(-5, "0s")]
    [InlineData(1, "1µs")]
    [InlineData(999, "999µs")]
    [InlineData(1000, "1ms")]
    [InlineData(1900, "1.9ms")]
    [InlineData(1001, "1.001ms")]
    [InlineData(999_999, "999.999ms")]
    [InlineData(1_000_000, "1s")]
    [InlineData(1_500_000, "1.5s")]
    [InlineData(1_000_001, "1.000001s")]
    [InlineData(60_000_000, "1m0s")]
    [InlineData(3_600_000_000, "1h0m0s")]
    [InlineData(3_661_020_000, "1h1m1.02s")]
    public void DurationsAreThoseOfGo(long microseconds, string expected)
    {
        var line = new LineWriter(new byte[64]);
        GoDurationText.Write(microseconds, ref line);
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(line.Written));
    }
}
