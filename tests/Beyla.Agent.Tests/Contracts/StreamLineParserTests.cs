using System.Text;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Contracts;

public class StreamLineParserTests
{
    private readonly StreamLineParser parser = new();

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
    [InlineData("status", "\"200\"")]
    [InlineData("status", "99999999999")]
    [InlineData("clientPort", "65536")]
    [InlineData("clientAddress", "\"10.0.0\\u002e\"")]
    [InlineData("serverAddress", "\"nowhere\"")]
    [InlineData("path", "{}")]
    [InlineData("path", "null")]
    [InlineData("connection", "\"xyz\"")]
    [InlineData("connection", "5")]
    [InlineData("protocolVersion", "\"one\"")]
    [InlineData("networkNamespace", "4294967296")]
    [InlineData("pid", "[1]")]
    public void WrongValueNamesItsField(string field, string value)
    {
        var line = System.Text.RegularExpressions.Regex.Replace(
            JsonFormatTests.ClientLine, $"(\"{field}\":)(\"[^\"]*\"|[0-9]+)", match => match.Groups[1].Value + value);
        Assert.NotEqual(JsonFormatTests.ClientLine, line);
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
            .Replace("\"status\":200", "\"links\":[{\"a\":[1,2]}],\"status\":200,\"trace\":{\"id\":\"x\"}", StringComparison.Ordinal)
            .Replace("\"complete\"", "\"rerouted\"", StringComparison.Ordinal)
            .Replace("\"language\":\"dotnet\"", "\"language\":\"zig\"", StringComparison.Ordinal);
        var span = Parse(line).Span!;
        Assert.Equal(
            (200, SpanOutcome.Unfinished, ProcessLanguage.Generic, "web"), (span.Status, span.Outcome, span.Language, span.ServiceName));
    }

    [Fact]
    public void OrderOfFieldsDoesNotMatter()
    {
        var fields = JsonFormatTests.ClientLine[1..^1].Split(",\"");
        var turned = "{" + string.Join(",\"", fields.Skip(1).Reverse()).Insert(0, "\"") + ",\"" + fields[0].TrimStart('"') + "}";
        var span = Parse(turned).Span!;
        Assert.Equal(("GET", "/users", 3040, "shop"), (span.Method, span.Path, span.ServerPort, span.ServiceNamespace));
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
        var seeds = new[] { AgentStreamTests.Header, JsonFormatTests.ClientLine, JsonFormatTests.BrokenLine, CountersReportTests.Line }
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
                _ = (span.End, span.HandlerStart, span.ProcessName, span.ToString());
            }
        }

        Assert.True(good > 1000 && bad > 1000);
    }
}
