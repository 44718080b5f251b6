using System.Text;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Contracts;

public class StreamLineParserTests
{
    private readonly StreamLineParser parser = new();

    private static readonly string Named =
        JsonFormatTests.ClientLine.Replace("\"start\":", "\"errorType\":\"500\",\"start\":", StringComparison.Ordinal);

    private StreamLine Parse(string line) => parser.Parse(Encoding.UTF8.GetBytes(line));

    [Theory]
    [InlineData("", StreamErrorKind.BadJson)]
    [InlineData("x", StreamErrorKind.BadJson)]
    [InlineData("[]", StreamErrorKind.BadJson)]
    [InlineData("{", StreamErrorKind.BadJson)]
    [InlineData("""{"type":"counters","places":[]} x""", StreamErrorKind.BadJson)]
    [InlineData("""{"type":"counters","places":[]}{}""", StreamErrorKind.BadJson)]
    [InlineData("{}", StreamErrorKind.BadField)]
    [InlineData("""{"type":1}""", StreamErrorKind.BadField)]
    [InlineData("""{"type":"span"}""", StreamErrorKind.BadField)]
    [InlineData("""{"type":"counters"}""", StreamErrorKind.BadField)]
    [InlineData("""{"type":"counters","places":[1]}""", StreamErrorKind.BadField)]
    [InlineData("""{"type":"stream"}""", StreamErrorKind.BadField)]
    [InlineData("""{"type":"weather"}""", StreamErrorKind.UnknownType)]
    public void BadLines(string line, StreamErrorKind kind) => Assert.Equal(kind, Parse(line).Error!.Kind);

    [Theory]
    [InlineData("kind", "\"both\"")]
    [InlineData("start", "\"yesterday\"")]
    [InlineData("start", "\"9999-12-31T23:59:59.000000Z\"")]
    [InlineData("durationUSec", "-1")]
    [InlineData("durationUSec", "9223372036854775807")]
    [InlineData("durationUSec", "99999999999999999999")]
    [InlineData("durationUSec", "1.5")]
    [InlineData("http.response.status_code", "\"200\"")]
    [InlineData("http.response.status_code", "-1")]
    [InlineData("http.response.status_code", "99999999999999999999")]
    [InlineData("clientPort", "65536")]
    [InlineData("clientAddress", "\"10.0.0\\u002e\"")]
    [InlineData("serverAddress", "\"nowhere\"")]
    [InlineData("url.path", "{}")]
    [InlineData("url.path", "null")]
    [InlineData("connection", "\"xyz\"")]
    [InlineData("connection", "5")]
    [InlineData("network.protocol.version", "1")]
    [InlineData("errorType", "500")]
    [InlineData("name", "{}")]
    [InlineData("networkNamespace", "4294967296")]
    [InlineData("pid", "[1]")]
    public void WrongValueNamesItsField(string field, string value)
    {
        var line = System.Text.RegularExpressions.Regex.Replace(
            Named, $"(\"{field}\":)(\"[^\"]*\"|[0-9]+)", match => match.Groups[1].Value + value);
        Assert.NotEqual(Named, line);
        var error = Parse(line).Error!;
        Assert.Equal(StreamErrorKind.BadField, error.Kind);
        Assert.Contains($"the field {field} ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ANamedClientAndTheProxyAreBothThere()
    {
        var named = Samples.Broken with { IsClientNamed = true, PeerAddress = Samples.At("10.0.0.9"), PeerPort = 4711 };
        var span = Parse(Samples.Format(new Beyla.Agent.Export.JsonFormat(), in named)).Span!;
        Assert.Equal(("2001:db8::1", 50000), (span.ClientAddress.ToString(), span.ClientPort));
        Assert.Equal(("10.0.0.9", 4711), (span.PeerAddress!.ToString(), span.PeerPort));
        Assert.Equal((span.PeerAddress, 4711), (span.RemoteAddress, span.RemotePort));
        var plain = Parse(JsonFormatTests.BrokenLine).Span!;
        Assert.Null(plain.PeerAddress);
        Assert.Equal((plain.ClientAddress, plain.ClientPort), (plain.RemoteAddress, plain.RemotePort));
    }

    [Fact]
    public void NewerAdditionsAreSkipped()
    {
        var line = JsonFormatTests.ClientLine
            .Replace("\"tid\":", "\"links\":[{\"a\":[1,2]}],\"trace\":{\"id\":\"x\"},\"tid\":", StringComparison.Ordinal)
            .Replace("\"complete\"", "\"rerouted\"", StringComparison.Ordinal)
            .Replace("\"language\":\"dotnet\"", "\"language\":\"zig\"", StringComparison.Ordinal);
        var span = Parse(line).Span!;
        Assert.Equal(
            (200, SpanOutcome.Unfinished, ProcessLanguage.Generic, "web"),
            (span.StatusCode, span.Outcome, span.Language, span.ServiceName));
    }

    [Fact]
    public void OrderOfFieldsDoesNotMatter()
    {
        // The attributes stay one field, and are turned within.
        var line = JsonFormatTests.ClientLine;
        var inner = line.IndexOf("{\"http", StringComparison.Ordinal);
        var turned = Turned(line[..inner] + "0}").Replace(
            "\"attributes\":0", "\"attributes\":" + Turned(line[inner..^1]), StringComparison.Ordinal);
        var span = Parse(turned).Span!;
        Assert.Equal(("GET", "/users", 3040, "shop"), (span.Method, span.Path, span.ServerPort, span.ServiceNamespace));
    }

    private static string Turned(string json)
    {
        var fields = json[1..^1].Split(",\"");
        return "{\"" + string.Join(",\"", fields.Skip(1).Reverse()) + ",\"" + fields[0].TrimStart('"') + "}";
    }

    private Span Old(string line) => Parse(line).Span! with
    {
        ErrorType = "", TraceId = "", SpanId = "", ParentId = "", ParentSource = ParentSource.None, TraceFlags = 0,
    };

    [Fact]
    public void TheTraceContextIsRead()
    {
        var span = Parse(JsonFormatTests.ClientLine.Replace(
            "\"traceFlags\":1", "\"traceFlags\":255,\"traceState\":\"a=b\"", StringComparison.Ordinal)).Span!;
        Assert.Equal(
            ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "53995c3f42cd8ad8", ParentSource.Thread, 255, "a=b"),
            (span.TraceId, span.SpanId, span.ParentId, span.ParentSource, span.TraceFlags, span.TraceState));
        foreach (var source in Enum.GetValues<ParentSource>().Skip(1))
        {
            var name = System.Text.Encoding.ASCII.GetString(StreamNames.Of(source));
            Assert.Equal(source, Parse(JsonFormatTests.ClientLine.Replace("thread", name, StringComparison.Ordinal)).Span!.ParentSource);
        }

        // What a newer agent adds may be a guess.
        var newer = JsonFormatTests.ClientLine.Replace("\"thread\"", "\"telepathy\"", StringComparison.Ordinal);
        Assert.Equal(ParentSource.Agreement, Parse(newer).Span!.ParentSource);
    }

    [Fact]
    public void VersionOneGivesTheSameSpans()
    {
        // It had no type of error, and no traces.
        Assert.Equal(Old(JsonFormatTests.ClientLine), Parse(JsonFormatTests.Version1[0]).Span);
        Assert.Equal(Old(JsonFormatTests.BrokenLine), Parse(JsonFormatTests.Version1[1]).Span);
        Assert.Null(Parse(AgentStreamTests.Header.Replace(":2,", ":1,", StringComparison.Ordinal)).Error);
        var newer = Parse(AgentStreamTests.Header.Replace(":2,", ":3,", StringComparison.Ordinal)).Error!;
        Assert.Equal(StreamErrorKind.UnsupportedVersion, newer.Kind);
        Assert.Contains("version 3 of the stream, this reader knows 1 to 2", newer.Message, StringComparison.Ordinal);
        Assert.Equal(StreamErrorKind.BadField, Parse("""{"type":"stream","version":0}""").Error!.Kind);
    }

    [Fact]
    public void SpansOfDatabasesSayWhatWasDoneToWhat()
    {
        var postgres = Parse(JsonFormatTests.PostgresLine).Span!;
        Assert.Equal(("postgresql", "INSERT orders", "INSERT", "orders", "23505", "23505"),
            (postgres.Protocol, postgres.Name, postgres.Operation, postgres.Target, postgres.Status, postgres.ErrorType));
        Assert.Equal(("", "", 0), (postgres.Method, postgres.Path, postgres.StatusCode));
        Assert.Equal("INSERT INTO orders VALUES ($1, ?)", postgres.Attributes["db.query.text"]);
        var redis = Parse(JsonFormatTests.RedisLine).Span!;
        Assert.Equal(("redis", "HGET", "basket:17 item", "", ""),
            (redis.Protocol, redis.Operation, redis.Target, redis.Status, redis.ErrorType));
    }

    [Fact]
    public void AttributesThatTheTableDoesNotHaveAreKept()
    {
        const string others = """
            "new.text":"a","new.number":7,"new.real":1.5,"new.yes":true,"new.none":null,"new.list":[1],"new.object":{"a":{}},"new.number":8,
            """;
        var line = JsonFormatTests.RedisLine.Replace("\"attributes\":{", "\"attributes\":{" + others, StringComparison.Ordinal);
        var span = Parse(line).Span!;
        Assert.Equal(
            [
                ("db.system.name", "redis"), ("db.namespace", "0"), ("db.query.text", "HGET basket:17 item"),
                ("db.operation.name", "HGET"),
                ("new.number", (object)8L), ("new.real", "1.5"), ("new.text", "a"), ("new.yes", "true"),
            ],
            span.Attributes.Select(pair => (pair.Key, pair.Value)));
        var many = string.Concat(Enumerable.Range(0, 1000).Select(i => $"\"more.{i}\":{i},"));
        line = JsonFormatTests.RedisLine.Replace("\"attributes\":{", "\"attributes\":{" + many, StringComparison.Ordinal);
        Assert.Equal(4 + 64, Parse(line).Span!.Attributes.Count);
    }

    [Fact]
    public void RepeatedNamesAreOneObject()
    {
        Span a = Parse(JsonFormatTests.ClientLine).Span!, b = Parse(JsonFormatTests.ClientLine).Span!;
        Assert.Same(a.ServiceName, b.ServiceName);
        Assert.Same(a.ClientAddress, b.ClientAddress);
    }

    [Fact]
    public void MutatedLinesNeverThrow()
    {
        var random = new Random(8259);
        var seeds = new[] { AgentStreamTests.Header, JsonFormatTests.ClientLine, JsonFormatTests.BrokenLine, CountersReportTests.Line,
            JsonFormatTests.Version1[0], JsonFormatTests.PostgresLine }
            .Select(Encoding.UTF8.GetBytes).ToArray();
        var (good, bad) = (0, 0);
        for (var i = 0; i < 100_000; i++)
        {
            var line = (byte[])seeds[i % seeds.Length].Clone();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                line[random.Next(line.Length)] = (byte)random.Next(256);
            }

            var result = parser.Parse(line.AsSpan(0, random.Next(5) == 0 ? random.Next(line.Length) : line.Length));
            Assert.True(result.Value is null != result.Error is null);
            _ = result.Value is null ? bad++ : good++;
            if (result.Span is { } span)
            {
                _ = (span.End, span.HandlerStart, span.ProcessName, span.Target, span.ToString(), span.Attributes.ToString());
            }
        }

        Assert.True(good > 1000 && bad > 1000);
    }
}
