using System.Diagnostics;
using System.IO.Pipes;
using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Linux;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Export;

public sealed partial class OutputQueueTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly AnonymousPipeServerStream pipe = new(PipeDirection.In);

    private int WriteEnd => (int)pipe.ClientSafePipeHandle.DangerousGetHandle();

    public void Dispose() => pipe.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ReaderThatKeepsUpGetsEveryRecordInOrder(bool nonBlocking)
    {
        if (nonBlocking)
        {
            Assert.Equal(0, fcntl(WriteEnd, 4 /* F_SETFL */, 0x801 /* O_WRONLY | O_NONBLOCK */));
        }

        using var queue = new OutputQueue(WriteEnd, 64 * 1024 * 1024);
        var reader = Task.Run(() => ReadLines(pipe));
        for (var i = 0; i < 100_000; i++)
        {
            Assert.True(queue.Append(Record(i), OutputRecord.Span));
            if (i % 1000 == 0)
            {
                queue.Flush();
            }
        }

        Assert.True(queue.Drain(Long));
        Assert.Equal([new PlaceCounters("printer", "spans", 100_000, Emitted: 100_000)], queue.Count());
        queue.Stop(Long);
        pipe.DisposeLocalCopyOfClientHandle();
        var lines = await reader;
        Assert.Equal(Enumerable.Range(0, 100_000), lines.Select(Number));
    }

    [Fact]
    public async Task ReaderThatStandsStillCostsRecordsAndEachIsCounted()
    {
        using var queue = new OutputQueue(WriteEnd, capacity: 16 * 4096, blockSize: 4096);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 20_000; i++)
        {
            _ = queue.Append(Record(i), OutputRecord.Span);
            if (i % 10 == 0)
            {
                queue.Flush();
            }
        }

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), "appending must not wait for the reader");
        var row = Assert.Single(queue.Count());
        Assert.True(row.Balanced, row.ToString());
        Assert.Equal(20_000, row.Produced);
        Assert.True(row.Lost > 0 && row.Held > 0, row.ToString());

        var reader = Task.Run(() => ReadLines(pipe));
        Assert.True(queue.Drain(Long));
        queue.Stop(Long);
        pipe.DisposeLocalCopyOfClientHandle();
        var numbers = (await reader).ConvertAll(Number);
        var end = Assert.Single(queue.Count());
        Assert.Equal((row.Produced, row.Lost, 0), (end.Produced, end.Lost, end.Held));
        Assert.Equal(end.Emitted, numbers.Count);
        Assert.Equal(numbers.Order(), numbers);
        Assert.Equal(numbers.Count, numbers.Distinct().Count());
    }

    [Fact]
    public void StopWithAReaderThatStandsStillEndsInTimeAndCountsExactly()
    {
        using var queue = new OutputQueue(WriteEnd);
        for (var i = 0; i < 10_000; i++)
        {
            Assert.True(queue.Append(Record(i), OutputRecord.Span));
        }

        var watch = Stopwatch.StartNew();
        queue.Stop(TimeSpan.FromMilliseconds(300));
        Assert.InRange(watch.Elapsed, TimeSpan.FromMilliseconds(250), Long);
        var row = Assert.Single(queue.Count());
        Assert.True(row.Balanced, row.ToString());
        Assert.Equal((10_000, 0), (row.Produced, row.Held));
        Assert.False(queue.Append(Record(1), OutputRecord.Span));

        pipe.DisposeLocalCopyOfClientHandle();
        var lines = ReadLines(pipe, wholeOnly: true);
        Assert.Equal(row.Emitted, lines.Count);
        Assert.Equal(10_000 - row.Emitted, row.Lost);
    }

    [Fact]
    public async Task ClosedReaderIsNoticedWithoutAnythingToWrite()
    {
        using var queue = new OutputQueue(WriteEnd);
        var closed = new TaskCompletionSource<int>();
        queue.Closed += error => closed.SetResult(error);
        pipe.SafePipeHandle.Dispose();
        Assert.Equal(0, await closed.Task.WaitAsync(Long));
        Assert.False(queue.Append(Record(1), OutputRecord.Span));
        Assert.Equal([new PlaceCounters("printer", "spans", 1, Lost: 1)], queue.Count());
        Assert.False(queue.Drain(Long));
    }

    [Fact]
    public async Task ReaderThatClosesInTheMiddleLeavesASumThatAgrees()
    {
        using var queue = new OutputQueue(WriteEnd);
        var closed = new TaskCompletionSource<int>();
        queue.Closed += error => closed.SetResult(error);
        for (var i = 0; i < 20_000; i++)
        {
            Assert.True(queue.Append(Record(i), OutputRecord.Span));
        }

        Assert.Equal(100, await pipe.ReadAtLeastAsync(new byte[100], 100));
        pipe.SafePipeHandle.Dispose();
        Assert.Equal(0, await closed.Task.WaitAsync(Long));
        var row = Assert.Single(queue.Count());
        Assert.True(row.Balanced, row.ToString());
        Assert.True(row is { Produced: 20_000, Held: 0, Emitted: > 0, Lost: > 0 }, row.ToString());
    }

    [Fact]
    public async Task FullDiskIsAnErrorWithItsNumber()
    {
        using var full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
        using var queue = new OutputQueue((int)full.DangerousGetHandle());
        var closed = new TaskCompletionSource<int>();
        queue.Closed += error => closed.SetResult(error);
        Assert.True(queue.Append(Record(1), OutputRecord.Flow));
        queue.Flush();
        Assert.Equal(Errno.ENOSPC, await closed.Task.WaitAsync(Long));
        Assert.Equal([new PlaceCounters("printer", "flows", 1, Lost: 1)], queue.Count());
    }

    [Fact]
    public async Task FlushedRecordIsVisibleWithoutAnotherCall()
    {
        using var queue = new OutputQueue(WriteEnd);
        var buffer = new byte[200];
        for (var i = 0; i < 20; i++)
        {
            _ = queue.Append(Record(i), OutputRecord.Span);
            queue.Flush();
            var read = await pipe.ReadAtLeastAsync(buffer, 100).AsTask().WaitAsync(Long);
            Assert.Equal(i, Number(Encoding.ASCII.GetString(buffer, 0, read)));
        }
    }

    [Fact]
    public void RecordLongerThanABlockIsLostAndCounted()
    {
        using var queue = new OutputQueue(WriteEnd, 8192, 4096);
        Assert.False(queue.Append(new byte[4097], OutputRecord.Span));
        Assert.Equal([new PlaceCounters("printer", "spans", 1, Lost: 1)], queue.Count());
    }

    [Fact]
    public async Task AppendingAllocatesNothing()
    {
        using var queue = new OutputQueue(WriteEnd);
        var record = Record(1);
        _ = Task.Run(() => ReadLines(pipe));
        for (var i = 0; i < 2000; i++)
        {
            _ = queue.Append(record, OutputRecord.Span);
        }

        Assert.True(queue.Drain(Long));
        await Task.Yield();
        Assert.Equal(0, Allocation.Least(round =>
        {
            for (var i = 0; i < 100; i++) // all within one block, so that it does not depend on the writer
            {
                _ = queue.Append(record, OutputRecord.Span);
            }
        }));
        Assert.True(queue.Drain(Long));
        queue.Stop(Long);
        pipe.DisposeLocalCopyOfClientHandle();
    }

    [Fact]
    public async Task StreamBeginsWithItsHeaderAndEndsWithItsCounters()
    {
        using var queue = new OutputQueue(WriteEnd);
        var printer = TracePrinter.Create(TracePrinterKind.Json, queue);
        var exporter = new SpanExporter(
            new Samples.Processes(Samples.Web), new Redactor(Samples.Sensitive), Samples.Clock(), printer.Sinks);
        var reader = Task.Run(() => ReadLines(pipe));
        printer.Begin("0.1.0");
        for (var i = 0; i < 1000; i++)
        {
            exporter.OnSpan(Samples.Client);
        }

        exporter.OnSpan(Samples.Broken);
        printer.End(() => CountersReport.Take([exporter, queue]), Long);
        queue.Stop(Long);
        pipe.DisposeLocalCopyOfClientHandle();

        var lines = await reader;
        Assert.Equal(1002, lines.Count);
        using var stream = new AgentStream(new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n")));
        var values = new List<object>();
        while (stream.TryRead(out var line))
        {
            Assert.Null(line.Error);
            values.Add(line.Value!);
        }

        Assert.Equal(
            ("0.1.0", StreamNames.Version, Environment.ProcessId),
            (stream.Header!.Agent, stream.Header.Version, stream.Header.ProcessId));
        Assert.Equal(1000, values.OfType<Span>().Count());
        var counters = Assert.IsType<AgentCounters>(values[^1]);
        Assert.Equal(["spans 1001 1000 1 0 0", "printer 1000 1000 0 0 0"],
            counters.Places.Select(p => FormattableString.Invariant($"{p.Place} {p.Produced} {p.Emitted} {p.Filtered} {p.Lost} {p.Held}")));
    }

    [Fact]
    public void EndWithAReaderThatStandsStillWaitsOnlyOnce()
    {
        using var queue = new OutputQueue(WriteEnd);
        var printer = TracePrinter.Create(TracePrinterKind.Json, queue);
        for (var i = 0; i < 10_000; i++)
        {
            Assert.True(queue.Append(Record(i), OutputRecord.Span));
        }

        var watch = Stopwatch.StartNew();
        printer.End(() => CountersReport.Take([queue]), TimeSpan.FromMilliseconds(300));
        queue.Stop(Long);
        Assert.InRange(watch.Elapsed, TimeSpan.FromMilliseconds(250), Long);
        Assert.True(Assert.Single(queue.Count()) is { Balanced: true, Held: 0, Lost: > 0 });
    }

    [Fact]
    public async Task CounterSaysHowManyAndDisabledSaysNothing()
    {
        using var queue = new OutputQueue(WriteEnd);
        var reader = Task.Run(() => ReadLines(pipe));
        foreach (var kind in (TracePrinterKind[])[TracePrinterKind.Counter, TracePrinterKind.Disabled])
        {
            var printer = TracePrinter.Create(kind, queue);
            var exporter = new SpanExporter(
                new Samples.Processes(Samples.Web), new Redactor(Samples.Sensitive), Samples.Clock(), printer.Sinks);
            printer.Begin("0.1.0");
            for (var i = 0; i < 7; i++)
            {
                exporter.OnSpan(Samples.Client);
            }

            printer.End(() => CountersReport.Take([exporter, queue]), Long);
            Assert.Equal(
                kind == TracePrinterKind.Counter ? [new PlaceCounters("printer", "spans", 7, Aggregated: 7)] : null,
                printer.Counted?.Count());
        }

        queue.Stop(Long);
        pipe.DisposeLocalCopyOfClientHandle();
        Assert.Equal(["Processed 7 requests"], await reader);
        Assert.Throws<ArgumentOutOfRangeException>(() => TracePrinter.Create((TracePrinterKind)99, queue));
    }

    private static byte[] Record(int number) =>
        Encoding.ASCII.GetBytes(number.ToString("D8", System.Globalization.CultureInfo.InvariantCulture).PadRight(99, '.') + "\n");

    private static int Number(string line) => int.Parse(line.AsSpan(0, 8), System.Globalization.CultureInfo.InvariantCulture);

    private static List<string> ReadLines(Stream stream) => ReadLines(stream, wholeOnly: false);

    private static List<string> ReadLines(Stream stream, bool wholeOnly)
    {
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        var text = Encoding.UTF8.GetString(copy.ToArray());
        if (!wholeOnly)
        {
            Assert.EndsWith("\n", text, StringComparison.Ordinal);
        }

        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    [System.Runtime.InteropServices.LibraryImport("libc")]
    private static partial int fcntl(int descriptor, int command, int argument);
}
