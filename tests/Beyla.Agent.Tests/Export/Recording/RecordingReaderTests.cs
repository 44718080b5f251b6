using System.Text;
using Beyla.Agent.Export.Recording;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Export.Recording;

/// <summary>What a recording may hold besides spans, and how it may be damaged.</summary>
public sealed class RecordingReaderTests
{
    private const string Header = """{"type":"stream","version":2,"agent":"0.1.0","pid":99,"start":"2026-08-20T08:11:12.000000Z"}""";

    [Fact]
    public void Only_spans_are_exported_and_a_header_is_not_needed()
    {
        var counters = """{"type":"counters","time":"2026-08-20T08:11:12.000000Z","places":[]}""";
        var (spans, bad, failure) = Read(
            Header, JsonFormatTests.ClientLine, "", """{"type":"news","of":"tomorrow"}""", JsonFormatTests.RedisLine, counters,
            // One recording behind another.
            Header, JsonFormatTests.BrokenLine);
        Assert.Equal((3, 0, null), (spans, bad, failure));
        Assert.Equal((1, 0, null), Read(JsonFormatTests.ClientLine));
        Assert.Equal((0, 0, null), Read());
    }

    [Fact]
    public void A_bad_line_loses_only_itself()
    {
        var (spans, bad, failure) = Read(
            "level=INFO msg=\"a log\"", JsonFormatTests.ClientLine, JsonFormatTests.ClientLine[..200], JsonFormatTests.RedisLine,
            """{"type":"span"}""", JsonFormatTests.BrokenLine.Replace("53995c3f42cd8ad8", "5", StringComparison.Ordinal), "{}");
        Assert.Equal((2, 5, null), (spans, bad, failure));
    }

    [Fact]
    public void The_end_within_a_line_is_a_bad_line()
    {
        var stage = new Counter();
        using var stream = new AgentStream(
            new MemoryStream(Encoding.UTF8.GetBytes(JsonFormatTests.ClientLine + "\n" + JsonFormatTests.ClientLine[..99])), isPart: true);
        var reader = new RecordingReader(stream, new RecordedSpans(HostIdentity.Elsewhere("", ""), [stage]));
        reader.Run(default);
        Assert.Equal((1, 1L), (stage.Spans, reader.BadLines));
    }

    [Fact]
    public void A_newer_version_is_not_guessed_at()
    {
        var (spans, bad, failure) = Read(Header.Replace("2,", "3,", StringComparison.Ordinal), JsonFormatTests.ClientLine);
        Assert.Equal((0, 0), (spans, bad));
        Assert.Contains("version 3", failure, StringComparison.Ordinal);
    }

    private static (int Spans, long Bad, string? Failure) Read(params string[] lines)
    {
        var stage = new Counter();
        using var stream = new AgentStream(
            new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(lines.Select(static line => line + "\n")))), isPart: true);
        var reader = new RecordingReader(stream, new RecordedSpans(HostIdentity.Elsewhere("", ""), [stage]));
        reader.Run(default);
        return (stage.Spans, reader.BadLines, reader.Failure);
    }

    private sealed class Counter : IExportStage
    {
        public int Spans { get; private set; }

        public void OnSpan(in ExportedSpan span) => Spans++;

        public long Tick(long now) => long.MaxValue;

        public void Finish(long deadline)
        {
        }
    }
}
