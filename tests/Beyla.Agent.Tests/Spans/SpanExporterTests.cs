using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Linux;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Spans;

public class SpanExporterTests
{
    [Fact]
    public void SpansOfOtherProcessesAreFilteredAndCounted()
    {
        var counter = new SpanCounter();
        var exporter = new SpanExporter(new Samples.Processes(Samples.Web), new Redactor(Samples.Sensitive), Samples.Clock(), counter);
        for (var i = 0; i < 10; i++)
        {
            exporter.OnSpan(Samples.Client);
            if (i < 3)
            {
                exporter.OnSpan(Samples.Broken);
            }
        }

        Assert.Equal(10, counter.Total);
        Assert.Equal([new PlaceCounters("spans", "spans", 13, Emitted: 10, Filtered: 3)], exporter.Count());
        Assert.All(exporter.Count(), row => Assert.True(row.Balanced));
    }

    [Fact]
    public void AProcessIsAskedForWhenTheRequestBegins()
    {
        var processes = new Samples.Processes();
        var exporter = new SpanExporter(processes, new Redactor(Samples.Sensitive), Samples.Clock());
        exporter.OnOpen(12, 80);
        Assert.Equal((12, 80), processes.Opened);
        exporter.OnSpan(Samples.Broken with { ServerPort = 81 });
        Assert.Equal((12, 80), processes.Opened);
    }

    [Fact]
    public void SpansOfAProcessThatIsBeingLookedAtWaitInOrder()
    {
        var processes = new Samples.Processes(Samples.Web, Samples.Plain) { Awaited = 4711 };
        var sink = new Recorder();
        var exporter = new SpanExporter(processes, new Redactor(Samples.Sensitive), Samples.Clock(), sink);
        for (var i = 1; i <= 3; i++)
        {
            exporter.OnSpan(Samples.Client.With(SpanAttribute.HttpResponseStatusCode, i));
        }

        exporter.OnSpan(Samples.Broken);
        Assert.Equal([0], sink.Statuses);
        Assert.True(exporter.IsHolding);
        Assert.Equal([new PlaceCounters("spans", "spans", 4, Emitted: 1, Held: 3)], exporter.Count());
        exporter.Release(12);
        exporter.Tick();
        Assert.Equal([0], sink.Statuses);
        processes.Awaited = 0;
        exporter.Release(4711);
        Assert.Equal([0, 1, 2, 3], sink.Statuses);
        Assert.Equal("web", sink.Last!.ServiceName);
        Assert.False(exporter.IsHolding);
        Assert.Equal([new PlaceCounters("spans", "spans", 4, Emitted: 4)], exporter.Count());
    }

    [Fact]
    public void SpansThatCannotWaitGoWithWhatIsKnownOrAreCounted()
    {
        var processes = new Samples.Processes { Awaited = 4711 };
        var sink = new Recorder();
        var exporter = new SpanExporter(processes, new Redactor(Samples.Sensitive), Samples.Clock(), sink);
        var path = new byte[8000];
        var large = Samples.Client.With(SpanAttribute.UrlPath, path);
        var room = HeldSpans.MaximumBytesOfOne / (HeldSpans.Overhead + large.Values.TextLength);
        for (var i = 0; i < room + 5; i++)
        {
            exporter.OnSpan(in large);
        }

        Assert.Equal([new PlaceCounters("spans", "spans", room + 5, Lost: 5, Held: room)], exporter.Count());
        processes.Guessed = Samples.Web;
        exporter.Tick(all: true);
        Assert.Equal([new PlaceCounters("spans", "spans", room + 5, Emitted: room, Lost: 5)], exporter.Count());
        // One process leaves room to the next, and all of them together have a limit.
        for (var pid = 1; pid <= 20; pid++)
        {
            processes.Awaited = pid;
            for (var i = 0; i < room + 1; i++)
            {
                exporter.OnSpan(large with { Pid = pid });
            }
        }

        Assert.InRange(exporter.Count().Single().Held, 7 * room, HeldSpans.MaximumBytes / 8000);
    }

    [Fact]
    public void ASpanThatWaitedIsTheSame()
    {
        var processes = new Samples.Processes(Samples.Web) { Awaited = 4711 };
        var format = new Samples.Capture(new JsonFormat());
        var exporter = new SpanExporter(processes, new Redactor(Samples.Sensitive), Samples.Clock(), format);
        var span = Samples.Client with
        {
            Kind = SpanKind.Server, Outcome = SpanOutcome.Upgraded,
            IsClientNamed = true, PeerAddress = Samples.Client.ServerAddress, PeerPort = 4711,
        };
        exporter.OnSpan(in span);
        span.Values.Clear(); // the next span uses them
        span.Values.Add(SpanAttribute.UrlPath, "/another"u8);
        processes.Awaited = 0;
        exporter.Release(4711);
        var direct = span with { Values = Samples.Client.Values };
        Assert.Equal(Samples.Format(new JsonFormat(), in direct), System.Text.Encoding.UTF8.GetString(format.Last));
    }

    [Fact]
    public void SensitiveValuesAreGoneInWhatIsExportedAndStayInWhatCame()
    {
        var span = Samples.Client;
        Assert.Contains("token=***", Samples.Format(new JsonFormat(), in span), StringComparison.Ordinal);
        Assert.Equal("id=7&token=abc", System.Text.Encoding.UTF8.GetString(span.Values.Text(SpanAttribute.UrlQuery)));
    }

    [Fact]
    public void TimesNeverRunBackwards()
    {
        var span = Samples.Client with { Start = 2_000_000, HandlerStart = 1_000_000, End = 1_500_000 };
        Assert.Contains(
            "\"durationUSec\":0,\"handlerDurationUSec\":0", Samples.Format(new JsonFormat(), in span), StringComparison.Ordinal);
        span = Samples.Client with { Start = 2_000_000, HandlerStart = 1_000_000, End = 2_500_000 };
        Assert.Contains(
            "\"durationUSec\":500,\"handlerDurationUSec\":500", Samples.Format(new JsonFormat(), in span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public void NothingIsAllocatedPerSpan(string name)
    {
        ISpanFormat format = name == "text" ? new TextFormat(TimeText.Local()) : new JsonFormat();
        var exporter = new SpanExporter(
            new Samples.Processes(Samples.Web, Samples.Plain), new Redactor(Samples.Sensitive), new WallClock(),
            new Samples.Capture(format));
        SpanData client = Samples.Client.With(SpanAttribute.UrlQuery, "token=abc&q=\u202e%\xff"u8), broken = Samples.Broken;
        Send(exporter, 3000, in client, in broken);
        Assert.Equal(0, Allocation.Least(_ => Send(exporter, 2000, in client, in broken)));
    }

    private sealed class Recorder : IExportSink
    {
        internal List<int> Statuses { get; } = [];

        internal Agent.Processes.ProcessInfo? Last { get; private set; }

        public void OnSpan(in ExportedSpan span)
        {
            Statuses.Add((int)span.Span.Values.Number(SpanAttribute.HttpResponseStatusCode, 0));
            Last = span.Process;
        }
    }

    private static void Send(SpanExporter exporter, int count, in SpanData client, in SpanData broken)
    {
        for (var i = 0; i < count; i++)
        {
            // A new second each 100 spans, so that times are rendered anew as well.
            var later = i * 10_000_000L;
            exporter.OnSpan(client with { Start = client.Start + later, End = client.End + later });
            exporter.OnSpan(in broken);
        }
    }
}
