using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Linux;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export;

/// <summary>
/// The value of BEYLA_TRACE_PRINTER as it works: what it writes at the start, per span and at the end. Use: <see cref="Begin"/>, then
/// <see cref="Sinks"/> go to the <see cref="SpanExporter"/>, at the end <see cref="End"/> and after it <see cref="OutputQueue.Stop"/>.
/// </summary>
public sealed class TracePrinter
{
    private readonly OutputQueue output;
    private readonly bool stream;
    private readonly SpanCounter? counter;

    private TracePrinter(OutputQueue output, bool stream, SpanCounter? counter, params IExportSink[] sinks)
    {
        this.output = output;
        this.stream = stream;
        this.counter = counter;
        Sinks = sinks;
    }

    /// <summary>What gets the spans; empty when the printer is disabled.</summary>
    public IExportSink[] Sinks { get; }

    /// <summary>The counter of <c>counter</c>, for the report; null for other printers, which the output counts.</summary>
    public ICounted? Counted => counter;

    /// <summary>Makes the printer of a kind.</summary>
    /// <param name="kind">What was configured.</param>
    /// <param name="output">Where it writes.</param>
    /// <exception cref="ArgumentOutOfRangeException">No printer is of this kind.</exception>
    public static TracePrinter Create(TracePrinterKind kind, OutputQueue output)
    {
        switch (kind)
        {
            case TracePrinterKind.Disabled:
                return new(output, stream: false, counter: null);
            case TracePrinterKind.Counter:
                var counter = new SpanCounter();
                return new(output, stream: false, counter, counter);
            case TracePrinterKind.Text:
                return new(output, stream: false, counter: null, new SpanPrinter(new TextFormat(TimeText.Local()), output));
            case TracePrinterKind.Json:
                return new(output, stream: true, counter: null, new SpanPrinter(new JsonFormat(), output));
            case TracePrinterKind.JsonIndent:
                return new(output, stream: false, counter: null, new SpanPrinter(new JsonFormat(indent: true), output));
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "no printer is of this kind");
        }
    }

    /// <summary>Writes the header of the stream (json only).</summary>
    /// <param name="agentVersion">Version of the agent.</param>
    public void Begin(string agentVersion)
    {
        if (!stream)
        {
            return;
        }

        _ = output.Append(Header(agentVersion, Environment.ProcessId, WallClock.UnixMicroseconds()), OutputRecord.Other);
        output.Flush();
    }

    /// <summary>
    /// Writes what waits and then the last line: the counters (json), or the number of requests (counter). The report is taken in between,
    /// so that nothing is held in the output any more when it is counted.
    /// </summary>
    /// <param name="report">Takes the counters.</param>
    /// <param name="limit">Longest time to wait for the reader.</param>
    public void End(Func<CountersReport> report, TimeSpan limit)
    {
        foreach (var sink in Sinks)
        {
            sink.Flush();
        }

        if (counter is not null)
        {
            _ = output.Append(
                System.Text.Encoding.UTF8.GetBytes(FormattableString.Invariant($"Processed {counter.Total} requests\n")),
                OutputRecord.Other);
        }

        if (!output.Drain(limit))
        {
            output.Stop(TimeSpan.Zero); // the reader stands still: it had its time, and would not get the last line either
        }
        else if (stream)
        {
            _ = output.Append(report().ToJsonLine(WallClock.UnixMicroseconds()), OutputRecord.Other);
        }
    }

    /// <summary>The line of type <c>stream</c>.</summary>
    internal static byte[] Header(string agentVersion, int pid, long unixMicroseconds)
    {
        var line = new LineWriter(new byte[1024]);
        line.Write("{\"type\":\"stream\",\"version\":"u8);
        line.WriteNumber(StreamNames.Version);
        line.Write(",\"agent\":\""u8);
        _ = Escape.Json(agentVersion, 128, ref line);
        line.Write("\",\"pid\":"u8);
        line.WriteNumber(pid);
        line.Write(",\"start\":\""u8);
        TimeText.Utc().Write(unixMicroseconds, ref line);
        line.Write("Z\"}\n"u8);
        return line.Written.ToArray();
    }
}
