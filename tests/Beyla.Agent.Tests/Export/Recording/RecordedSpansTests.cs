using System.Text;
using Beyla.Agent.Export;
using Beyla.Agent.Export.Recording;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;
using Recorded = Beyla.Contracts.Span;

namespace Beyla.Agent.Tests.Export.Recording;

/// <summary>A span that was read from a line is the span that the line was written of: written again, it is the same line.</summary>
public sealed class RecordedSpansTests
{
    private static readonly HostIdentity Nowhere = HostIdentity.Elsewhere("", "");

    public static TheoryData<string> Lines =>
    [
        JsonFormatTests.ClientLine, JsonFormatTests.BrokenLine, JsonFormatTests.PostgresLine, JsonFormatTests.RedisLine,
        JsonFormatTests.RedisLine.Replace("\"redis\"", "\"sql\"", StringComparison.Ordinal),
        // A client that a proxy named; a trace that other systems know; what is left when bytes were no UTF-8; characters beyond 16 bits.
        JsonFormatTests.BrokenLine.Replace(
            "\"tid\"", "\"peerAddress\":\"10.9.8.7\",\"peerPort\":443,\"tid\"", StringComparison.Ordinal),
        JsonFormatTests.ClientLine.Replace(
            "\"traceFlags\":1,", "\"traceFlags\":3,\"traceState\":\"a=b,c=d\",", StringComparison.Ordinal),
        JsonFormatTests.ClientLine.Replace("/users", "/\uFFFD/ü/😀/\\\"/\\u202e", StringComparison.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Lines))]
    public void A_line_comes_back(string line)
    {
        var sink = new Capture();
        Assert.Null(new RecordedSpans(Nowhere, [sink]).Replay(Parse(line)));
        Assert.Equal(line + "\n", Encoding.UTF8.GetString(sink.Line));
    }

    [Fact]
    public void Each_attribute_comes_back()
    {
        var span = Samples.Client;
        foreach (var row in SpanAttributes.All)
        {
            span = row.IsNumber ? span.With(row.Attribute, 7 + (int)row.Attribute) : span.With(row.Attribute, $"of {row.Name}");
        }

        A_line_comes_back(Samples.Format(new JsonFormat(), span).TrimEnd('\n'));
    }

    /// <summary>Cut values end in a mark; a text that somebody made longer is cut as the agent would have.</summary>
    [Fact]
    public void Long_texts_stay_within_the_limits()
    {
        var cut = Samples.Format(new JsonFormat(), Samples.Client.With(SpanAttribute.UrlPath, "/" + new string('ü', 6000)));
        Assert.Contains("ü…", cut, StringComparison.Ordinal);
        A_line_comes_back(cut.TrimEnd('\n'));

        var sink = new Capture();
        var line = JsonFormatTests.ClientLine.Replace("/users", "/" + new string('€', 300_000), StringComparison.Ordinal)
            .Replace("\"shop\"", $"\"{new string('s', 300_000)}\"", StringComparison.Ordinal);
        Assert.Null(new RecordedSpans(Nowhere, [sink]).Replay(Parse(line)));
        var limit = SpanAttributes.Of(SpanAttribute.UrlPath).Limit;
        Assert.InRange(sink.PathLength, limit - 3, limit + 3);
        Assert.InRange(sink.Process!.ServiceNamespace.Length, SpanLimits.ServiceName, SpanLimits.ServiceName + 1);
    }

    /// <summary>The first version of the stream had no traces; sent twice, a span is the same span.</summary>
    [Fact]
    public void A_span_without_a_trace_is_given_one_that_stays()
    {
        var (one, two) = (new Capture(), new Capture());
        foreach (var line in JsonFormatTests.Version1)
        {
            Assert.Null(new RecordedSpans(Nowhere, [one]).Replay(Parse(line)));
            Assert.Null(new RecordedSpans(Nowhere, [two]).Replay(Parse(line)));
            Assert.True(one.Context.HasTrace && one.Context.SpanId != 0);
            Assert.Equal(one.Context, two.Context);
        }

        Assert.Equal(2, one.Contexts.Select(static context => context.SpanId).Distinct().Count());
        Assert.Equal(2, one.Contexts.Select(static context => context.TraceLow).Distinct().Count());
    }

    [Theory]
    [InlineData("4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e473")]
    [InlineData("4bf92f3577b34da6a3ce929d0e0e4736", "00000000000000000000000000000000")]
    [InlineData("4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e473g")]
    [InlineData("00f067aa0ba902b7", "0000000000000000")]
    [InlineData("00f067aa0ba902b7", "")]
    [InlineData("53995c3f42cd8ad8", "5399")]
    [InlineData("\"traceFlags\":1", "\"traceFlags\":256")]
    [InlineData("\"start\":\"2026", "\"start\":\"1926")]
    [InlineData("\"start\":\"2026", "\"start\":\"2526")]
    public void What_cannot_be_true_is_refused(string good, string bad)
    {
        var sink = new Capture();
        Assert.NotNull(new RecordedSpans(Nowhere, [sink])
            .Replay(Parse(JsonFormatTests.ClientLine.Replace(good, bad, StringComparison.Ordinal))));
        Assert.Empty(sink.Contexts);
    }

    [Fact]
    public void The_resource_is_what_the_recording_says_of_the_process()
    {
        var web = ResourceOf(Nowhere, JsonFormatTests.ClientLine);
        Assert.Equal(web, ResourceOf(Nowhere, JsonFormatTests.PostgresLine)); // the same process, in another recording
        Assert.Equal(
            ("web", "shop", 4711L, "dotnet", "/usr/bin/dotnet"),
            (web["service.name"], web["service.namespace"], web["process.pid"], web["process.executable.name"],
                web["process.executable.path"]));
        Assert.True(Guid.TryParseExact((string)web["service.instance.id"], "D", out var id) && id.Version == 5);
        // Nobody said on which host it was.
        Assert.DoesNotContain(web.Keys, static name => name.StartsWith("host.", StringComparison.Ordinal));
        Assert.NotEqual(
            web["service.instance.id"],
            ResourceOf(Nowhere, JsonFormatTests.ClientLine.Replace("4711", "4710", StringComparison.Ordinal))["service.instance.id"]);

        var there = ResourceOf(HostIdentity.Elsewhere("17", "there"), JsonFormatTests.ClientLine);
        Assert.Equal(("17", "there"), (there["host.id"], there["host.name"]));
        Assert.NotEqual(web["service.instance.id"], there["service.instance.id"]);
    }

    /// <summary>However many processes a recording has, a bounded number is remembered.</summary>
    [Fact]
    public void Processes_are_forgotten_for_want_of_room()
    {
        const int count = (2 * RecordedProcesses.MaximumKept) + 10;
        var sink = new Capture();
        var spans = new RecordedSpans(Nowhere, [sink]);
        for (var pid = 1; pid <= count; pid++)
        {
            Assert.Null(spans.Replay(Parse(JsonFormatTests.RedisLine) with { ProcessId = pid }));
            Assert.Equal(pid, sink.Process!.Pid);
        }

        Assert.Equal(Enumerable.Range(1, 2 * RecordedProcesses.MaximumKept), sink.Ended.Select(static process => process.Pid));
    }

    private static Recorded Parse(string line) => new StreamLineParser().Parse(Encoding.UTF8.GetBytes(line)).Span!;

    private static Dictionary<string, object> ResourceOf(HostIdentity host, string line)
    {
        var sink = new Capture();
        Assert.Null(new RecordedSpans(host, [sink]).Replay(Parse(line)));
        return new ServiceResources(host, "1.2.3", static _ => 0).Of(sink.Process!).Attributes.ToDictionary();
    }

    private sealed class Capture : IExportStage
    {
        private readonly Samples.Capture format = new(new JsonFormat());

        public ReadOnlySpan<byte> Line => format.Last;

        public ProcessInfo? Process { get; private set; }

        public List<ProcessInfo> Ended { get; } = [];

        public int PathLength { get; private set; }

        public List<TraceContext> Contexts { get; } = [];

        public TraceContext Context => Contexts[^1];

        public void OnSpan(in ExportedSpan span)
        {
            Contexts.Add(span.Span.Context);
            Process = span.Process;
            PathLength = span.Span.Values.Text(SpanAttribute.UrlPath).Length;
            format.OnSpan(in span);
        }

        public void OnEnd(ProcessInfo process) => Ended.Add(process);

        public long Tick(long now) => long.MaxValue;

        public void Finish(long deadline)
        {
        }
    }
}
