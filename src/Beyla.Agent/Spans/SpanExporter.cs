using System.Numerics;
using Beyla.Agent.Counting;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans;

/// <summary>
/// Where spans leave the tracer: finds the process, leaves out what is not selected, removes sensitive values, gives the times of the wall
/// clock, and hands the span to each sink. Spans of a process that is being looked at wait for that, in order (<see cref="HeldSpans"/>).
/// Counts as place <c>spans</c>. Does not allocate for spans that do not wait.
/// </summary>
public sealed class SpanExporter : ISpanSink, ICounted
{
    /// <summary>Longer than any sink shows, so that a query that was cut here is cut, with its mark, there too.</summary>
    private const int ScratchLength = 16 * 1024;

    private readonly IProcessLookup processes;
    private readonly Redactor redactor;
    private readonly WallClock clock;
    private readonly IExportSink[] sinks;
    private readonly byte[] scratch = new byte[ScratchLength];
    private readonly byte[] parameters = new byte[ScratchLength];
    private readonly SpanValues shown = new();
    private readonly HeldSpans held = new();
    private long emitted;
    private long filtered;
    private long lost;

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

    /// <summary>Whether spans wait for what is being found out of their process.</summary>
    public bool IsHolding => held.Count > 0;

    /// <inheritdoc/>
    public void OnOpen(int pid, int servedPort) => processes.Open(pid, servedPort);

    /// <inheritdoc/>
    public void OnSpan(in SpanData span)
    {
        var process = processes.Find(span.Pid);
        if (process is null && processes.IsAwaited(span.Pid))
        {
            if (!held.TryAdd(in span))
            {
                Settle(in span, processes.Guess(span.Pid), isKnown: false);
            }

            return;
        }

        Settle(in span, process, isKnown: true);
    }

    /// <summary>It is known who the process is, or that nobody wants it: its spans that waited go on.</summary>
    public void Release(int pid)
    {
        if (held.Count > 0)
        {
            held.Take(pid, this,
                static (in SpanData span, SpanExporter self) => self.Settle(in span, self.processes.Find(span.Pid), isKnown: true));
        }
    }

    /// <summary>
    /// Spans that have waited too long go on with what is known by now. To be called about every 100 ms, and with all at the end.
    /// </summary>
    /// <param name="all">Whether none may wait longer.</param>
    public void Tick(bool all = false)
    {
        while (held.TryFindOverdue(all, out var pid))
        {
            held.Take(pid, this,
                static (in SpanData span, SpanExporter self) => self.Settle(in span, self.processes.Guess(span.Pid), isKnown: false));
        }
    }

    /// <summary>A process is over: the sinks are told.</summary>
    public void Forget(ProcessInfo process)
    {
        foreach (var sink in sinks)
        {
            sink.OnEnd(process);
        }
    }

    /// <summary>The batch is over: the sinks let their spans become visible.</summary>
    public void Flush()
    {
        foreach (var sink in sinks)
        {
            sink.Flush();
        }
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        // What came is the sum of what became of it: so it agrees at any moment, without a lock.
        var waiting = held.Spans;
        var (left, unwanted, unknown) = (Volatile.Read(ref emitted), Volatile.Read(ref filtered), Volatile.Read(ref lost));
        return [new PlaceCounters("spans", "spans", left + unwanted + unknown + waiting,
            Emitted: left, Filtered: unwanted, Lost: unknown, Held: waiting)];
    }

    /// <summary>Ends the way of a span here. One of which it is not known whether anybody wants it is lost.</summary>
    private void Settle(in SpanData span, ProcessInfo? process, bool isKnown)
    {
        if (process is not null)
        {
            Export(in span, process);
        }

        Snapshot.Add(ref process is not null ? ref emitted : ref isKnown ? ref filtered : ref lost);
    }

    private void Export(in SpanData span, ProcessInfo process)
    {
        if (sinks.Length == 0)
        {
            return;
        }

        var values = Redacted(span.Values);
        if (values == span.Values)
        {
            Hand(in span, process);
        }
        else
        {
            Hand(span with { Values = values }, process);
        }
    }

    /// <summary>Gives a span that is redacted to the sinks, with its times.</summary>
    private void Hand(in SpanData span, ProcessInfo process)
    {
        // Events of several processors may be a little out of order: a duration is never negative, the handler's
        // never longer than the whole.
        var duration = Math.Max(0, span.End - span.Start) / 1000;
        var exported = new ExportedSpan(in span)
        {
            Process = process,
            Start = clock.ToUnixMicroseconds(span.Start, span.End),
            Duration = duration,
            HandlerDuration = Math.Clamp((span.End - span.HandlerStart) / 1000, 0, duration),
        };
        foreach (var sink in sinks)
        {
            sink.OnSpan(in exported);
        }
    }

    /// <summary>The values without what is sensitive: the same ones where nothing is, as in most spans, else a copy.</summary>
    private SpanValues Redacted(SpanValues values)
    {
        var result = values;
        for (var rest = values.Present & SpanAttributes.Redacted; rest != 0; rest &= rest - 1)
        {
            var attribute = (SpanAttribute)BitOperations.TrailingZeroCount(rest);
            var text = values.Text(attribute);
            if (!Redactor.MayHold(text))
            {
                continue;
            }

            var redacted = SpanAttributes.Of(attribute).Redaction switch
            {
                SpanRedaction.Query => redactor.Query(text, scratch),
                SpanRedaction.Path => redactor.Path(text, scratch, parameters),
                _ => Redactor.UserInfo(text, scratch),
            };
            if (redacted == text)
            {
                continue; // these very bytes
            }

            if (result == values)
            {
                shown.CopyFrom(values);
                result = shown;
            }

            shown.Add(attribute, redacted);
        }

        return result;
    }
}
