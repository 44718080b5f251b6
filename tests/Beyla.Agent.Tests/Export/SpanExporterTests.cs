using Beyla.Agent.Export;

namespace Beyla.Agent.Tests.Export;

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
                exporter.OnSpan(Samples.Broken);
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
    public void TimesNeverRunBackwards()
    {
        var span = Samples.Client with { Start = 2_000_000, HandlerStart = 1_000_000, End = 1_500_000 };
        Assert.Contains("\"durationUSec\":0,\"handlerDurationUSec\":0", Samples.Format(new JsonFormat(), in span), StringComparison.Ordinal);
        span = Samples.Client with { Start = 2_000_000, HandlerStart = 1_000_000, End = 2_500_000 };
        Assert.Contains("\"durationUSec\":500,\"handlerDurationUSec\":500", Samples.Format(new JsonFormat(), in span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public void NothingIsAllocatedPerSpan(string name)
    {
        ISpanFormat format = name == "text" ? new TextFormat(TimeText.Local()) : new JsonFormat();
        var exporter = new SpanExporter(
            new Samples.Processes(Samples.Web, Samples.Plain), new Redactor(Samples.Sensitive), new WallClock(), new Samples.Capture(format));
        SpanData client = Samples.Client, broken = Samples.Broken; // making them allocates
        Send(exporter, 3000, in client, in broken);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Send(exporter, 10_000, in client, in broken);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Send(SpanExporter exporter, int count, in SpanData client, in SpanData broken)
    {
        for (var i = 0; i < count; i++)
        {
            // A new second each 100 spans, so that times are rendered anew as well.
            exporter.OnSpan(client with { Start = client.Start + (i * 10_000_000L), End = client.End + (i * 10_000_000L), Query = "token=abc&q=\u202e%\xff"u8 });
            exporter.OnSpan(in broken);
        }
    }
}
