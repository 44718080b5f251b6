using System.IO.Pipes;
using System.Text;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Linux;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Export;

/// <summary>What the caller of an <see cref="OutputQueue"/> writes itself, and what goes to the writer since it has to wait.</summary>
public sealed class OutputAtOnceTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly AnonymousPipeServerStream pipe = new(PipeDirection.In);

    private int WriteEnd => (int)pipe.ClientSafePipeHandle.DangerousGetHandle();

    public void Dispose() => pipe.Dispose();

    [Fact]
    public void APipeWithRoomHasTheBytesWhenFlushReturns()
    {
        using var queue = new OutputQueue(WriteEnd);
        for (var i = 0; i < 10; i++)
        {
            _ = queue.Append("line\n"u8, OutputRecord.Span);
            queue.Flush();
            Assert.True(HasBytes());
            Assert.Equal([new PlaceCounters("printer", "spans", i + 1, Emitted: i + 1)], queue.Count());
            pipe.ReadExactly(new byte[5]);
        }
    }

    [Fact]
    public void AFullPipeLeavesTheRestToTheWriterInOrder()
    {
        using var queue = new OutputQueue(WriteEnd);
        var line = new byte[1000];
        for (var i = 0; i < 500; i++)
        {
            Encoding.ASCII.GetBytes($"{i:D8}").CopyTo(line, 0);
            line[^1] = (byte)'\n';
            Assert.True(queue.Append(line, OutputRecord.Span));
            queue.Flush();
        }

        var row = Assert.Single(queue.Count());
        Assert.True(row is { Balanced: true, Produced: 500, Lost: 0, Held: > 0, Emitted: > 0 }, row.ToString());
        for (var i = 0; i < 500; i++)
        {
            pipe.ReadExactly(line);
            Assert.Equal($"{i:D8}", Encoding.ASCII.GetString(line, 0, 8));
        }

        Assert.True(queue.Drain(Long));
        Assert.Equal([new PlaceCounters("printer", "spans", 500, Emitted: 500)], queue.Count());
    }

    /// <summary>A file system may have to wait for a disk: whoever reads events does not.</summary>
    [Fact]
    public void AFileGetsEveryRecord()
    {
        var path = Path.GetTempFileName();
        try
        {
            using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
            using var queue = new OutputQueue((int)file.DangerousGetHandle());
            for (var i = 0; i < 1000; i++)
            {
                Assert.True(queue.Append(Encoding.ASCII.GetBytes($"{i}\n"), OutputRecord.Flow));
                queue.Flush();
            }

            Assert.True(queue.Drain(Long));
            Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{i}"), File.ReadAllLines(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task LookFindsAReaderThatIsGone()
    {
        using var queue = new OutputQueue(WriteEnd);
        var closed = new TaskCompletionSource<int>();
        queue.Closed += error => closed.SetResult(error);
        queue.Look();
        Assert.False(closed.Task.IsCompleted);
        pipe.SafePipeHandle.Dispose();
        queue.Look();
        Assert.Equal(0, await closed.Task.WaitAsync(Long));
        Assert.Null(queue.Borrow());
        queue.Refuse(OutputRecord.Span);
        Assert.Equal([new PlaceCounters("printer", "spans", 1, Lost: 1)], queue.Count());
    }

    /// <summary>Spans go into a borrowed block, what others append meanwhile into another one; nothing is counted twice.</summary>
    [Fact]
    public async Task SpansAndRecordsOfOthers()
    {
        using var queue = new OutputQueue(WriteEnd);
        var reader = Task.Run(() => Lines(pipe));
        var printer = new SpanPrinter(new TextFormat(TimeText.Utc()), queue);
        var exporter = new SpanExporter(new Samples.Processes(Samples.Web), new Redactor(Samples.Sensitive), Samples.Clock(), printer);
        var others = Task.Run(() =>
        {
            for (var i = 0; i < 2000; i++)
            {
                Assert.True(queue.Append("other\n"u8, OutputRecord.Flow));
                if (i % 7 == 0)
                {
                    queue.Flush();
                }
            }
        });
        for (var i = 0; i < 5000; i++)
        {
            exporter.OnSpan(Samples.Client);
            if (i % 100 == 0)
            {
                exporter.Flush();
            }
        }

        exporter.Flush();
        await others;
        Assert.True(queue.Drain(Long));
        queue.Stop(Long);
        pipe.DisposeLocalCopyOfClientHandle();
        var lines = await reader;
        Assert.Equal(2000, lines.Count(line => line == "other"));
        Assert.Equal(5000, lines.Count(line => line.Contains(" HTTPClient(", StringComparison.Ordinal)));
        Assert.Equal(7000, lines.Count);
        Assert.Equal(
            [new PlaceCounters("printer", "spans", 5000, Emitted: 5000), new PlaceCounters("printer", "flows", 2000, Emitted: 2000)],
            queue.Count());
    }

    /// <summary>A reader that stands still costs spans, each of which is counted, and does not hold up whoever reads events.</summary>
    [Fact]
    public void SpansWithoutAReader()
    {
        using var queue = new OutputQueue(WriteEnd, capacity: 4 * OutputQueue.DefaultBlockSize);
        var printer = new SpanPrinter(new TextFormat(TimeText.Utc()), queue);
        var exporter = new SpanExporter(new Samples.Processes(Samples.Web), new Redactor(Samples.Sensitive), Samples.Clock(), printer);
        for (var i = 0; i < 10_000; i++)
        {
            exporter.OnSpan(Samples.Client);
            if (i % 10 == 0)
            {
                exporter.Flush();
            }
        }

        exporter.Flush();
        var row = Assert.Single(queue.Count());
        Assert.True(row is { Balanced: true, Produced: 10_000, Lost: > 0, Held: > 0, Emitted: > 0 }, row.ToString());
        queue.Stop(TimeSpan.Zero);
        Assert.True(Assert.Single(queue.Count()) is { Balanced: true, Produced: 10_000, Held: 0 });
    }

    private static List<string> Lines(Stream stream)
    {
        using var reader = new StreamReader(stream);
        List<string> lines = [];
        while (reader.ReadLine() is { } line)
        {
            lines.Add(line);
        }

        return lines;
    }

    private bool HasBytes()
    {
        var poll = new PollDescriptor { Descriptor = (int)pipe.SafePipeHandle.DangerousGetHandle(), Events = Poll.In };
        return Poll.Wait(ref poll, 0) == 1;
    }
}
