using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Relay;

/// <summary>Spans that go from one thread to another, and the ends of processes behind them. One thread at a time.</summary>
internal sealed class RelayBlock
{
    /// <summary>Below the size at which arrays go to the large object heap.</summary>
    public const int Size = 80 * 1024;

    private int last;

    /// <summary>The records, one after the other.</summary>
    public byte[] Bytes { get; } = new byte[Size];

    /// <summary>The processes of the records.</summary>
    public List<ProcessInfo> Processes { get; } = [];

    /// <summary>Processes that ended when all spans of this block had come.</summary>
    public List<ProcessInfo> Ended { get; } = [];

    /// <summary>Bytes that are used.</summary>
    public int Length { get; private set; }

    /// <summary>How many spans are in it.</summary>
    public int Spans { get; private set; }

    /// <summary>How many of them are counted as produced.</summary>
    public int Counted { get; set; }

    /// <summary>Beyond the room there is, for ends of processes alone.</summary>
    public bool IsExtra { get; init; }

    /// <summary>Nobody has shown it to the other thread yet.</summary>
    public bool IsFresh { get; set; } = true;

    /// <summary>
    /// Adds a span; false when there may be no room for it, or a process has ended since, whose end must stay behind its spans.
    /// </summary>
    public bool TryAdd(in ExportedSpan span)
    {
        if (Size - Length < SpanRecord.RoomFor(span.Span.Values) || Ended.Count > 0 || IsExtra)
        {
            return false;
        }

        Length += SpanRecord.Write(in span, NumberOf(span.Process), Bytes.AsSpan(Length));
        Spans++;
        return true;
    }

    /// <summary>Gives all spans to the sinks, then says which processes are over.</summary>
    public void Replay(SpanValues values, IReadOnlyList<IExportSink> sinks)
    {
        for (var position = 0; position < Length;)
        {
            position = SpanRecord.Replay(this, position, values, sinks);
        }

        foreach (var process in Ended)
        {
            foreach (var sink in sinks)
            {
                sink.OnEnd(process);
            }
        }
    }

    /// <summary>Ready for use again.</summary>
    public void Clear()
    {
        (Length, Spans, Counted, last, IsFresh) = (0, 0, 0, 0, true);
        Processes.Clear();
        Ended.Clear();
    }

    /// <summary>Mostly the one of the span before.</summary>
    private int NumberOf(ProcessInfo process)
    {
        if (last < Processes.Count && ReferenceEquals(Processes[last], process))
        {
            return last;
        }

        for (last = 0; last < Processes.Count; last++)
        {
            if (ReferenceEquals(Processes[last], process))
            {
                return last;
            }
        }

        Processes.Add(process);
        return last;
    }
}
