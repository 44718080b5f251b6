using System.Net;
using System.Text;
using System.Text.Json;

namespace Beyla.Agent.Tests.Contracts;

/// <summary>What is written is what docs/stream.md says, and the reader finds the same span in it.</summary>
public sealed class SpanWriterTests : IDisposable
{
    private readonly SpanWriter writer = new();

    /// <summary>All that this version knows, and one that a newer agent may write.</summary>
    public static TheoryData<string> Protocols => [.. SpanProtocol.All.Select(static one => one.Name), "amqp"];

    public void Dispose() => writer.Dispose();

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Every_attribute_of_every_protocol_comes_back(string protocol)
    {
        var rows = SpanAttributes.All
            .Where(row => !row.IsEnvelope && (row.Protocols.Count == 0 || row.Protocols.Contains(protocol))).ToList();
        var values = rows.Select(static (row, i) => KeyValuePair.Create(row.Name, row.IsNumber ? (object?)(7L + i) : $"value {i}"));

        AssertSame(Full() with { Protocol = protocol, Attributes = AttributeSet.Of(values) });

        // Each alone, at its ends.
        foreach (var row in rows)
        {
            object[] ends = row.IsNumber ? [1L, long.MaxValue] : ["x", new string('é', Math.Max(row.Limit / 2, 1))];
            Assert.All(ends, value => AssertSame(
                Full() with { Protocol = protocol, Attributes = AttributeSet.Of((row.Attribute, value)) }));
        }
    }

    [Fact]
    public void Every_value_of_every_enumeration_comes_back()
    {
        Assert.All(Enum.GetValues<SpanKind>().Where(static kind => kind != default), kind => AssertSame(Full() with { Kind = kind }));
        Assert.All(Enum.GetValues<SpanOutcome>(), outcome => AssertSame(Full() with { Outcome = outcome }));
        Assert.All(Enum.GetValues<ProcessLanguage>(), language => AssertSame(Full() with { Language = language }));
        Assert.All(Enum.GetValues<ParentSource>(), source => AssertSame(Full() with { ParentSource = source }));
    }

    [Theory]
    [InlineData("quote \" and \\ and \r\n\t\0")]
    [InlineData("\u001b[31m \u202e \u200b \u2028 \U000e0041 \ue000")]
    [InlineData("日本語 😀 é")]
    [InlineData("</script>&'+")]
    public void Text_comes_back_whatever_it_holds(string text)
    {
        var attributes = AttributeSet.Of(new Dictionary<string, object?> { ["url.path"] = text, [text] = text, ["new.number"] = -5L });
        AssertSame(Full() with
        {
            Name = text, ErrorType = text, ServiceName = text, ServiceNamespace = text, Executable = text, TraceState = text,
            Protocol = text, Attributes = attributes,
        });
        Assert.DoesNotContain(writer.Write(Full() with { Name = text }).Span[..^1].ToArray(), static b => b is < 0x20 or > 0x7e);
    }

    [Fact]
    public void What_is_not_known_is_left_out()
    {
        var span = new Span { Kind = SpanKind.Client, Start = Full().Start };
        AssertSame(span);

        using var line = JsonDocument.Parse(writer.Write(span));
        var fields = line.RootElement.EnumerateObject().Select(static field => field.Name).ToHashSet();
        string[] optional =
        [
            "errorType", "peerAddress", "peerPort", "executable", "serviceNamespace", "parentId", "parentSource", "traceState",
        ];
        Assert.DoesNotContain(optional, fields.Contains);
        Assert.Equal(JsonValueKind.Object, line.RootElement.GetProperty("attributes").ValueKind);
    }

    /// <summary>The examples of docs/stream.md: the same fields in the same order, with the same values.</summary>
    [Fact]
    public void The_lines_of_the_page_are_written_as_they_stand_there()
    {
        var lines = File.ReadLines(Path.Combine(Root(), "docs/stream.md"))
            .Where(static line => line.StartsWith("{\"type\":\"span\"", StringComparison.Ordinal)).ToList();
        Assert.Equal(4, lines.Count);
        Assert.All(lines, line =>
            Assert.Equal(Normal(line), Normal(Encoding.UTF8.GetString(writer.Write(Parse(Encoding.UTF8.GetBytes(line))).Span))));
    }

    [Fact]
    public void Half_a_surrogate_pair_harms_only_itself() =>
        Assert.Equal("a\ufffdb", Parse(writer.Write(Full() with { Name = "a\ud800b" }).Span[..^1].ToArray()).Name);

    private void AssertSame(Span span)
    {
        var line = writer.Write(span).Span;
        Assert.Equal((byte)'\n', line[^1]);
        Assert.Equal(span, Parse(line[..^1].ToArray()));
    }

    private static Span Parse(byte[] line)
    {
        var read = new StreamLineParser().Parse(line);
        Assert.Null(read.Error);
        return read.Span!;
    }

    // The same text for the same values in the same order, however characters are escaped.
    private static string Normal(string line)
    {
        using var document = JsonDocument.Parse(line);
        return JsonSerializer.Serialize(document.RootElement);
    }

    private static Span Full() => new()
    {
        Kind = SpanKind.Server, Protocol = "http", Name = "GET", Outcome = SpanOutcome.Complete, ErrorType = "500",
        Start = new DateTimeOffset(2026, 8, 20, 8, 11, 12, TimeSpan.Zero).AddMicroseconds(820111),
        Duration = TimeSpan.FromMicroseconds(1900), HandlerDuration = TimeSpan.FromMicroseconds(1200),
        ClientAddress = IPAddress.Parse("2001:db8::1"), ClientPort = 65535,
        ServerAddress = IPAddress.Parse("10.0.0.2"), ServerPort = 80, PeerAddress = IPAddress.Parse("10.0.0.3"), PeerPort = 1,
        ServiceName = "web", ServiceNamespace = "shop", Language = ProcessLanguage.Dotnet, ProcessId = 4711, ThreadId = 4712,
        Executable = "/usr/bin/dotnet", NetworkNamespace = uint.MaxValue, Connection = ulong.MaxValue,
        TraceId = "4bf92f3577b34da6a3ce929d0e0e4736", SpanId = "00f067aa0ba902b7", ParentId = "53995c3f42cd8ad8",
        ParentSource = ParentSource.Thread, TraceFlags = 255, TraceState = "rojo=1",
        Attributes = AttributeSet.Of((SpanAttribute.HttpRequestMethod, "GET")),
    };

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Beyla.slnx")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }
}
