using System.Globalization;
using System.Text;
using Beyla.Agent.Export;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Export;

public class EscapeTests
{
    [Theory]
    [InlineData("abc/é/日本", "abc/é/日本")]
    [InlineData("a b", "a\\x20b")]
    [InlineData("\\x41", "\\\\x41")]
    [InlineData("\u001b[2J\u0007\0\u007f", "\\x1b[2J\\x07\\x00\\x7f")]
    [InlineData("\u0085\u009b31m", "\\u{85}\\u{9b}31m")]
    [InlineData("\u202eevil\u202c\u2066\u2069", "\\u{202e}evil\\u{202c}\\u{2066}\\u{2069}")]
    [InlineData("\u2028\u2029\u00a0\u3000", "\\u{2028}\\u{2029}\\u{a0}\\u{3000}")]
    [InlineData("\u200b\ufeff", "\\u{200b}\\u{feff}")]
    [InlineData("\U000E0041", "\\u{e0041}")]
    [InlineData("\r\n\t", "\\x0d\\x0a\\x09")]
    public void TextForm(string value, string expected) => Assert.Equal(expected, Text(Encoding.UTF8.GetBytes(value)));

    [Fact]
    public void InvalidUtf8IsShownByteByByteInText() =>
        Assert.Equal("a\\xffb\\xe2\\x82c\\xed\\xa0\\x80", Text([(byte)'a', 0xff, (byte)'b', 0xe2, 0x82, (byte)'c', 0xed, 0xa0, 0x80]));

    [Theory]
    [InlineData("a b\"c\\d", "a b\\\"c\\\\d")]
    [InlineData("\u001b\0\u007f\u0085", "\\u001b\\u0000\\u007f\\u0085")]
    [InlineData("\u202e\u2028\U000E0041", "\\u202e\\u2028\\udb40\\udc41")]
    public void JsonForm(string value, string expected) => Assert.Equal(expected, Json(Encoding.UTF8.GetBytes(value)));

    [Fact]
    public void InvalidUtf8IsReplacedInJson() => Assert.Equal("a\uFFFDb\uFFFDc", Json([(byte)'a', 0xff, (byte)'b', 0xe2, 0x82, (byte)'c']));

    [Fact]
    public void LongValuesAreCutBetweenCharactersWithAMark()
    {
        for (var limit = 0; limit < 40; limit++)
        {
            string[] values =
                [new string('a', 100), new string('\u001b', 20), string.Concat(Enumerable.Repeat("日", 20)), new string('\\', 50)];
            foreach (var value in values)
            {
                var buffer = new byte[limit + Escape.MarkLength + 16];
                var line = new LineWriter(buffer);
                Assert.False(Escape.Text(Encoding.UTF8.GetBytes(value), limit, ref line));
                Assert.True(line.Position <= limit + Escape.MarkLength);
                Assert.EndsWith("…", Strict(line.Written), StringComparison.Ordinal);
                line = new LineWriter(buffer);
                Assert.False(Escape.Json(Encoding.UTF8.GetBytes(value), limit, ref line));
                Assert.True(line.Position <= limit + Escape.MarkLength);
                Assert.EndsWith("…", Strict(line.Written), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void LongestFieldsFitIntoOneLine()
    {
        var noise = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("\u001b\"\\\U000E0041", 9000)));
        var span = Samples.Client with { Values = new() };
        foreach (var row in SpanAttributes.All)
        {
            span = row.IsNumber ? span.With(row.Attribute, long.MaxValue) : span.With(row.Attribute, noise.AsSpan(0, row.Limit + 1));
        }

        var name = new string('\u202e', 9000);
        var process = Samples.Web with { Executable = name, ServiceName = name, ServiceNamespace = name };
        foreach (var format in (ISpanFormat[])[new TextFormat(TimeText.Utc()), new JsonFormat(), new JsonFormat(indent: true)])
        {
            var line = Samples.Format(format, in span, process);
            Assert.Contains("…", line, StringComparison.Ordinal);
            Assert.InRange(Encoding.UTF8.GetByteCount(line), 8192, SpanLimits.Line);
        }

        Assert.Null(new StreamLineParser().Parse(Encoding.UTF8.GetBytes(Samples.Format(new JsonFormat(), in span, process))).Error);
    }

    [Fact]
    public void WhateverIsCapturedTheLineIsOneSafeLineAndReadsBack()
    {
        var random = new Random(20260820);
        var parser = new StreamLineParser();
        var fields = Samples.Format(new TextFormat(TimeText.Utc()), Samples.Client).Split(' ').Length;
        var (textual, structured) = (new Samples.Capture(new TextFormat(TimeText.Utc())), new Samples.Capture(new JsonFormat()));
        var exporter = new SpanExporter(
            new Samples.Processes(Samples.Web), new Redactor(Samples.Sensitive), Samples.Clock(), textual, structured);
        for (var i = 0; i < 20_000; i++)
        {
            byte[] method = Noise(random, 8), path = Noise(random, 60), query = Noise(random, 30), host = Noise(random, 20);
            var span = Samples.Client.With(SpanAttribute.HttpRequestMethod, method).With(SpanAttribute.UrlPath, path)
                .With(SpanAttribute.UrlQuery, query).With(SpanAttribute.HttpRequestHeaderHost, host);
            exporter.OnSpan(in span);
            var text = Strict(textual.Last);
            Assert.Equal(fields, text.Split(' ').Length);
            AssertSafe(text, " ");

            var json = Strict(structured.Last);
            AssertSafe(json, " ");
            var read = parser.Parse(Encoding.UTF8.GetBytes(json));
            Assert.Null(read.Error);
            AssertShown(Encoding.UTF8.GetString(method), read.Span!.Method);
            AssertShown(Expected(path, static (value, scratch) => new Redactor(Samples.Sensitive).Path(value, scratch, new byte[1024])),
                read.Span.Path);
            AssertShown(Expected(host, Redactor.UserInfo), read.Span.Host);
            AssertShown(Expected(query, new Redactor(Samples.Sensitive).Query), read.Span.Query);
        }
    }

    private delegate ReadOnlySpan<byte> Redaction(ReadOnlySpan<byte> value, Span<byte> scratch);

    private static string Expected(byte[] value, Redaction redact) => Encoding.UTF8.GetString(redact(value, new byte[1024]));

    /// <summary>Equal, or cut at its limit with a mark.</summary>
    private static void AssertShown(string expected, string actual)
    {
        if (expected != actual)
        {
            Assert.EndsWith("…", actual, StringComparison.Ordinal);
            Assert.StartsWith(actual[..^1], expected, StringComparison.Ordinal);
            Assert.True(expected.Length > 10);
        }
    }

    private static byte[] Noise(Random random, int pieces)
    {
        var result = new List<byte>();
        for (var i = random.Next(pieces); i > 0; i--)
        {
            switch (random.Next(8))
            {
                case 0: result.Add((byte)random.Next(256)); break;
                case 1: result.Add((byte)random.Next(32)); break;
                case 2: result.AddRange(Encoding.UTF8.GetBytes(((char)random.Next(0x80, 0xa1)).ToString())); break;
                case 3: result.AddRange(Encoding.UTF8.GetBytes(((char)random.Next(0x2000, 0x2070)).ToString())); break;
                case 4: result.AddRange(Encoding.UTF8.GetBytes(new Rune(random.Next(0x10000, 0x110000)).ToString())); break;
                case 5: result.AddRange("&token=x;@/\\\""u8.ToArray()); break;
                case 6: result.AddRange(Encoding.UTF8.GetBytes("日\u202e")[..random.Next(1, 6)]); break;
                default: result.Add((byte)random.Next(0x20, 0x7f)); break;
            }
        }

        return [.. result];
    }

    private static void AssertSafe(string line, string allowed)
    {
        Assert.EndsWith("\n", line, StringComparison.Ordinal);
        foreach (var rune in line[..^1].EnumerateRunes())
        {
            if (allowed.Contains(rune.ToString(), StringComparison.Ordinal))
            {
                continue;
            }

            Assert.False(
                Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                    or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate,
                $"U+{rune.Value:X4} in {line}");
        }
    }

    private static string Text(byte[] value)
    {
        var line = new LineWriter(new byte[1024]);
        Assert.True(Escape.Text(value, 512, ref line));
        return Strict(line.Written);
    }

    private static string Json(byte[] value)
    {
        var line = new LineWriter(new byte[1024]);
        Assert.True(Escape.Json(value, 512, ref line));
        return Strict(line.Written);
    }

    private static string Strict(ReadOnlySpan<byte> utf8) => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8);
}
