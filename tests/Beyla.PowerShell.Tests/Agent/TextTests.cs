using System.Text;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Tests.Agent;

/// <summary>Text that others chose: the log, captured strings, lines.</summary>
public sealed class TextTests
{
    [Fact]
    public void A_log_line_is_taken_apart()
    {
        var line = LogLine.Parse(
            """time=2026-01-02T03:04:05.678Z level=WARN msg="a \"quoted\" word" error="first\nsecond" port=80 empty= path="/x y" """);

        Assert.Equal((LogLevel.Warn, "a \"quoted\" word", "first\\x0asecond"), (line.Level, line.Message, line.Error));
        Assert.Equal("80", line["port"]);
        Assert.Equal("/x y", line["path"]);
        Assert.Equal("", line["empty"]);
        Assert.Equal("a \"quoted\" word: first\\x0asecond port=80 empty= path=/x y", line.Text);
    }

    [Fact]
    public void What_follows_is_part_of_the_sentence_and_remedy_and_evidence_are_apart()
    {
        var line = LogLine.Parse(
            """level=WARN msg="CAP_BPF is missing" consequence="no spans" evidence="not in CapPrm" """
                + """fix="sudo setcap cap_bpf=p /opt/beyla" n=1""");

        Assert.Equal("CAP_BPF is missing: no spans n=1", line.Text);
        Assert.Equal("sudo setcap cap_bpf=p /opt/beyla", line[LogLine.Remedy]);
        Assert.Equal("not in CapPrm", line[LogLine.Evidence]);
    }

    [Fact]
    public void Warnings_from_one_place_are_alike_only_when_they_say_the_same()
    {
        var one = LogLine.Parse("""level=WARN msg=Configuration warning="a is unknown" n=1""");
        var other = LogLine.Parse("""level=WARN msg=Configuration warning="b is unknown" n=1""");
        var again = LogLine.Parse("""level=WARN msg=Configuration warning="a is unknown" n=2""");

        Assert.Equal("Configuration: a is unknown n=1", one.Text);
        Assert.NotEqual(one.Kind, other.Kind);
        Assert.Equal(one.Kind, again.Kind);
    }

    [Theory]
    [InlineData("Unhandled exception. System.Exception: x")]
    [InlineData("level=ERROR and no message")]
    [InlineData("=")]
    [InlineData("a=\"")]
    [InlineData("msg=\"only a message\"")]
    public void A_line_that_is_no_log_line_is_kept_whole(string text)
    {
        var line = LogLine.Parse(text);

        Assert.True(line.IsPlain);
        Assert.Equal((LogLevel.Info, text), (line.Level, line.Text));
    }

    [Fact]
    public void Random_log_lines_never_throw()
    {
        var random = new Random(20260102);
        const string alphabet = "abc=\" \\n\u001b\u0000ü🙂level=WARNmsg";
        for (var i = 0; i < 20_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(60)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
            Assert.DoesNotContain(LogLine.Parse("level=INFO msg=x " + text).Text, char.IsControl);
            Assert.DoesNotContain(LogLine.Parse(text).Text, char.IsControl);
        }
    }

    [Theory]
    [InlineData("plain /path?x=ü🙂", "plain /path?x=ü🙂")]
    [InlineData("\u001b[2J", "\\x1b[2J")]
    [InlineData("a\nb\u009bm\u007f", "a\\x0ab\\x9bm\\x7f")]
    [InlineData("abc\u202Etxt.exe", "abc\\u202etxt.exe")]
    [InlineData("a\u200bb\ufeff", "a\\u200bb\\ufeff")]
    [InlineData("\U000E0041❤\uFE0F", "\\U000e0041❤\\ufe0f")]
    [InlineData("\uE000", "\\ue000")]
    [InlineData(null, "")]
    public void What_could_steer_a_terminal_is_spelled_out(string? text, string visible) => Assert.Equal(visible, Visible.Text(text));

    [Fact]
    public void No_hidden_character_of_all_is_let_through_and_every_other_one_is()
    {
        foreach (var rune in Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Select(value => new Rune(value)))
        {
            var text = $"a{rune}b";
            var visible = Visible.Text(text);
            Assert.False(HiddenText.IsIn(visible), $"U+{rune.Value:X4}");
            Assert.True(HiddenText.IsHidden(rune) ? visible != text : visible == text, $"U+{rune.Value:X4}");
            Assert.True(HiddenText.IsHidden(rune) == !ReferenceEquals(Safe.Of(With(text)).Path, text),
                $"U+{rune.Value:X4}");
        }

        Assert.Equal(@"a\ud83db\ude42", Visible.Text("a\uD83Db\uDE42"));
    }

    [Fact]
    public void Each_text_of_a_span_is_made_safe_and_the_rest_stays()
    {
        const string evil = "\u001b]0;x\u0007";
        var span = new Contracts.Span
        {
            Kind = SpanKind.Client, ServiceName = evil, ServiceNamespace = evil, Executable = evil, Protocol = evil, Name = evil,
            ErrorType = evil, TraceId = evil, SpanId = evil, ParentId = evil, TraceState = evil, Duration = TimeSpan.FromMilliseconds(3),
            HandlerDuration = TimeSpan.FromMilliseconds(2), ClientPort = 1, ServerPort = 2, ProcessId = 3, ThreadId = 4,
            Connection = 5, NetworkNamespace = 6, Language = ProcessLanguage.Go, Outcome = SpanOutcome.Closed,
            Start = DateTimeOffset.UnixEpoch, ClientAddress = System.Net.IPAddress.Loopback,
            ServerAddress = System.Net.IPAddress.IPv6Loopback, PeerAddress = System.Net.IPAddress.Loopback,
            Attributes = AttributeSet.Of(SpanAttributes.All
                .Select(row => KeyValuePair.Create(row.Name, (object?)(row.IsNumber ? 418L : evil)))
                .Append(KeyValuePair.Create("new" + evil, (object?)evil))),
        };
        AssertSafeCopy(span, Safe.Of(span), evil);
    }

    [Fact]
    public void Each_text_of_a_flow_is_made_safe_and_the_rest_stays()
    {
        const string evil = "a\u001b[1m";
        var flow = new Contracts.Flow
        {
            Interface = evil, SourceName = evil, SourceNetwork = evil, DestinationName = evil, DestinationNetwork = evil,
            ProcessName = evil, ServiceName = evil, Bytes = 1, Packets = 2, SourcePort = 3, DestinationPort = 4, OwningProcess = 5,
            Flags = TcpFlags.Ack, Transport = Transport.Tcp, Direction = FlowDirection.Response,
            InterfaceDirection = InterfaceDirection.Egress, FirstSeen = DateTimeOffset.UnixEpoch, LastSeen = DateTimeOffset.UnixEpoch,
            AgentAddress = System.Net.IPAddress.Loopback, SourceAddress = System.Net.IPAddress.Loopback,
            DestinationAddress = System.Net.IPAddress.IPv6Loopback,
        };
        AssertSafeCopy(flow, Safe.Of(flow), evil);
    }

    [Fact]
    public void Harmless_records_are_not_copied()
    {
        var span = With("/ü?");
        var flow = new Contracts.Flow();

        Assert.Same(span, Safe.Of(span));
        Assert.Same(flow, Safe.Of(flow));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100_000)]
    public void Lines_are_the_same_however_the_bytes_arrive(int block)
    {
        var text = "one\n\ntwo\n" + new string('x', 30) + "\n" + new string('y', 31) + "\nlast";
        var lines = new LineReader(new Trickle(Encoding.ASCII.GetBytes(text), block), maximumLineLength: 30);
        var found = new List<(string, LineKind)>();
        do
        {
            while (lines.TryRead(out var line, out var kind))
            {
                found.Add((Encoding.ASCII.GetString(line[..Math.Min(line.Length, 5)]), kind));
            }
        }
        while (lines.Fill());

        Assert.Equal(
            [("one", LineKind.Line), ("", LineKind.Line), ("two", LineKind.Line), ("xxxxx", LineKind.Line), ("yyyyy", LineKind.TooLong),
                ("last", LineKind.Cut)], found);
    }

    [Fact]
    public void The_limiter_lets_one_of_a_kind_through_and_counts_the_rest()
    {
        var limiter = new Limiter(TimeSpan.FromSeconds(10));

        Assert.True(limiter.Allow("a", 0, out _));
        Assert.False(limiter.Allow("a", 9_999, out _));
        Assert.True(limiter.Allow("b", 1, out _));
        Assert.True(limiter.Allow("a", 10_000, out var held));
        Assert.Equal(1, held);
    }

    [Fact]
    public void The_limiter_keeps_its_memory_whatever_kinds_come()
    {
        var limiter = new Limiter(TimeSpan.FromSeconds(10));

        Assert.InRange(Enumerable.Range(0, 10_000).Count(i => limiter.Allow($"kind {i}", 0, out _)), 60, 70);
    }

    private static Contracts.Span With(string path) => new() { Attributes = AttributeSet.Of((SpanAttribute.UrlPath, path)) };

    private static void AssertSafeCopy<T>(T original, T copy, string evil)
        where T : class
    {
        Assert.NotSame(original, copy);
        foreach (var property in typeof(T).GetProperties())
        {
            var (before, after) = (property.GetValue(original), property.GetValue(copy));
            if (before is string text && text.Contains(evil, StringComparison.Ordinal))
            {
                Assert.Equal(Visible.Text(text), after);
            }
            else if (before is AttributeSet attributes)
            {
                Assert.Equal(
                    attributes.Select(pair => (Visible.Text(pair.Key), pair.Value is string value ? Visible.Text(value) : pair.Value)),
                    ((AttributeSet)after!).Select(pair => (pair.Key, pair.Value)));
            }
            else
            {
                Assert.Equal(before, after);
            }
        }
    }

    private sealed class Trickle(byte[] content, int block) : MemoryStream(content)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, block));
    }
}
