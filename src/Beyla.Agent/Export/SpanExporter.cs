using Beyla.Agent.Processes;

namespace Beyla.Agent.Export;

/// <summary>
/// Where spans leave the tracer: finds the process, leaves out what is not selected, removes sensitive values, gives the times of the wall
/// clock, and hands the span to each sink. Counts as place <c>spans</c>. Does not allocate.
/// </summary>
public sealed class SpanExporter : ISpanSink, ICounted
{
    /// <summary>
    /// Longer than any sink shows (<see cref="SpanLimits.Query"/>), so that a query that was cut here is cut, with its mark, there too.
    /// </summary>
    private const int ScratchLength = 16 * 1024;

    private readonly IProcessLookup processes;
    private readonly Redactor redactor;
    private readonly WallClock clock;
    private readonly IExportSink[] sinks;
    private readonly byte[] query = new byte[ScratchLength];
    private readonly byte[] path = new byte[ScratchLength];
    private readonly byte[] parameters = new byte[ScratchLength];
    private readonly byte[] host = new byte[ScratchLength];
    private readonly Lock counting = new();
    private long produced;
    private long emitted;
    private long filtered;

    /// <param name="processes">Who is traced.</param>
    /// <param name="redactor">What is removed from queries.</param>
    /// <param name="clock">Wall clock times.</param>
    /// <param name="sinks">Each gets every span; none is fine (<c>BEYLA_TRACE_PRINTER=disabled</c> without an exporter).</param>
    public SpanExporter(IProcessLookup processes, Redactor redactor, WallClock clock, params IExportSink[] sinks)
    {
        this.processes = processes;
        this.redactor = redactor;
        this.clock = clock;
        this.sinks = sinks;
    }

    public void OnSpan(in SpanData span)
    {
        var process = processes.Find(span.Pid, span.Kind == SpanKind.Server ? span.ServerPort : 0);
        if (process is not null)
            Export(in span, process);
        lock (counting)
        {
            produced++;
            emitted += process is null ? 0 : 1;
            filtered += process is null ? 1 : 0;
        }
    }

    public IEnumerable<PlaceCounters> Count()
    {
        lock (counting)
            return [new PlaceCounters("spans", "spans", produced, Emitted: emitted, Filtered: filtered)];
    }

    private void Export(in SpanData span, ProcessInfo process)
    {
        if (sinks.Length == 0)
            return;

        // Events of several processors may be a little out of order: a duration is never negative, the handler's never longer than the whole.
        var duration = Math.Max(0, span.End - span.Start) / 1000;
        var exported = new ExportedSpan
        {
            Span = span with
            {
                Query = redactor.Query(span.Query, query),
                Path = redactor.Path(span.Path, path, parameters),
                Host = Redactor.UserInfo(span.Host, host),
            },
            Process = process,
            Start = clock.ToUnixMicroseconds(span.Start, span.End),
            Duration = duration,
            HandlerDuration = Math.Clamp((span.End - span.HandlerStart) / 1000, 0, duration),
        };
        foreach (var sink in sinks)
            sink.OnSpan(in exported);
    }
}
