using System.Text;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Contracts;

public class AgentStreamTests
{
    internal const string Header = """{"type":"stream","version":2,"agent":"0.1.0","pid":99,"start":"2026-08-20T08:11:12.000000Z"}""";

    private static readonly string Good = string.Join(
        '\n', Header, JsonFormatTests.ClientLine, "", JsonFormatTests.BrokenLine, CountersReportTests.Line, "");

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public void LinesAreReadHoweverTheyAreCut(int chunk)
    {
        using var stream = new AgentStream(new Chunks(Encoding.UTF8.GetBytes(Good), chunk));
        var lines = ReadAll(stream);
        Assert.All(lines, line => Assert.Null(line.Error));
        Assert.Equal(
            [typeof(StreamHeader), typeof(Span), typeof(Span), typeof(AgentCounters)], lines.Select(line => line.Value!.GetType()));
        Assert.Equal(99, stream.Header!.ProcessId);
    }

    [Fact]
    public void StreamThatEndsAnywhereGivesWhatWasWholeAndOneErrorAtMost()
    {
        var bytes = Encoding.UTF8.GetBytes(Good);
        for (var length = 0; length <= bytes.Length; length++)
        {
            using var stream = new AgentStream(new MemoryStream(bytes, 0, length));
            var lines = ReadAll(stream);
            var errors = lines.Where(line => line.Error is not null).ToList();
            var cut = length > 0 && bytes[length - 1] != '\n' && (length == bytes.Length || bytes[length] != '\n');
            Assert.Equal(cut ? 1 : 0, errors.Count);
            Assert.All(errors, line => Assert.Equal(StreamErrorKind.Incomplete, line.Error!.Kind));
        }
    }

    [Fact]
    public void LineOfHundredMegabytesIsSkippedInBoundedMemory()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var stream = new AgentStream(new Flood(Header + "\n", 100_000_000, "\n" + JsonFormatTests.ClientLine + "\n"));
        var lines = ReadAll(stream);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 16_000_000);
        Assert.Equal(3, lines.Count);
        Assert.Equal((StreamErrorKind.TooLong, 2L, 100_000_000L), (lines[1].Error!.Kind, lines[1].Error!.Line, lines[1].Error!.Length));
        Assert.NotNull(lines[2].Span);
    }

    [Fact]
    public void LineWithoutEndIsTooLong()
    {
        using var stream = new AgentStream(new Flood(Header + "\n", 5_000_000, ""));
        Assert.Equal(StreamErrorKind.TooLong, ReadAll(stream)[^1].Error!.Kind);
    }

    [Fact]
    public void LongestLineIsAcceptedAndOneMoreByteIsNot()
    {
        var line = Encoding.UTF8.GetBytes(Header + "\n");
        using var fits = new AgentStream(new MemoryStream(line), line.Length - 1);
        Assert.Null(Assert.Single(ReadAll(fits)).Error);
        using var tooLong = new AgentStream(new MemoryStream(line), line.Length - 2);
        Assert.Equal(StreamErrorKind.TooLong, Assert.Single(ReadAll(tooLong)).Error!.Kind);
    }

    [Fact]
    public void GarbageGivesErrorsThatAreSafeToShow()
    {
        var random = new Random(1);
        var bytes = new byte[200_000];
        random.NextBytes(bytes);
        using var stream = new AgentStream(new MemoryStream(bytes));
        var lines = ReadAll(stream);
        Assert.NotEmpty(lines);
        Assert.All(lines, line =>
        {
            Assert.Null(line.Value);
            Assert.DoesNotContain(line.Error!.Excerpt + line.Error.Message, c => c is < ' ' or > '~');
        });
    }

    [Fact]
    public void StreamWithoutHeaderIsSaidToBeNone()
    {
        using var stream = new AgentStream(new MemoryStream(Encoding.UTF8.GetBytes(JsonFormatTests.ClientLine + "\n")));
        Assert.Equal(StreamErrorKind.MissingHeader, Assert.Single(ReadAll(stream)).Error!.Kind);
    }

    [Fact]
    public void OtherVersionIsRefusedWithBothNumbers()
    {
        using var stream = new AgentStream(new MemoryStream("{\"type\":\"stream\",\"version\":3}\n"u8.ToArray()));
        var error = Assert.Single(ReadAll(stream)).Error!;
        Assert.Equal(StreamErrorKind.UnsupportedVersion, error.Kind);
        Assert.Contains("version 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("knows 1", error.Message, StringComparison.Ordinal);
    }

    private static List<StreamLine> ReadAll(AgentStream stream)
    {
        var lines = new List<StreamLine>();
        while (stream.TryRead(out var line))
        {
            lines.Add(line);
        }

        return lines;
    }

    private sealed class Chunks(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, chunk));
    }

    /// <summary>A beginning, many letters, an end; without holding them.</summary>
    private sealed class Flood(string beginning, long letters, string end) : MemoryStream
    {
        private readonly MemoryStream first = new(Encoding.UTF8.GetBytes(beginning)), last = new(Encoding.UTF8.GetBytes(end));
        private long left = letters;

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = first.Read(buffer, offset, count);
            if (read > 0)
            {
                return read;
            }

            if (left == 0)
            {
                return last.Read(buffer, offset, count);
            }

            read = (int)Math.Min(left, count);
            buffer.AsSpan(offset, read).Fill((byte)'x');
            left -= read;
            return read;
        }
    }
}
