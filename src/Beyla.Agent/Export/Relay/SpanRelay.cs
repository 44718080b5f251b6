using Beyla.Agent.Counting;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Relay;

/// <summary>
/// Brings spans from the tracing thread to a thread of its own, on which the stages of export work: the tracing thread only copies. The
/// room is bounded; what finds none is lost and counted (place <c>export</c>). A span waits about <see cref="Linger"/> for others to come,
/// so that a busy agent does not wake that thread for each batch, and an idle one not at all.
/// </summary>
public sealed partial class SpanRelay : IExportSink, ICounted, IDisposable
{
    /// <summary>Default room for all spans that wait, in bytes.</summary>
    public const int DefaultCapacity = 8 * 1024 * 1024;

    /// <summary>How long the first span of a block waits, in milliseconds.</summary>
    internal const int Linger = 100;

    private readonly IExportStage[] stages;
    private readonly int most;
    private readonly Lock gate = new();
    private readonly AutoResetEvent work = new(false);
    private readonly Thread thread;
    private readonly Queue<RelayBlock> ready = []; // under the gate, as is all below, but for what a thread has taken
    private readonly Stack<RelayBlock> spare = [];
    private RelayBlock? unfinished;
    private int blocks;
    private long unfinishedSince;
    private bool isIdle;
    private bool isStopping;
    private bool isOver;
    private long deadline;
    private long produced, emitted, lost, held;

    private RelayBlock? current; // the tracing thread's own
    private long refused;

    /// <param name="stages">What works on the spans, in this order.</param>
    /// <param name="capacity">Bytes of all spans that wait.</param>
    public SpanRelay(IReadOnlyList<IExportStage> stages, int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, RelayBlock.Size);
        this.stages = [.. stages];
        most = capacity / RelayBlock.Size;
        thread = new Thread(Run) { IsBackground = true, Name = "export" };
        thread.Start();
    }

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        current ??= Take();
        if (current is not null && current.TryAdd(in span))
        {
            return;
        }

        if (current is not null)
        {
            PutBack(isFull: true);
            current = Take();
        }

        if (current is null || !current.TryAdd(in span))
        {
            refused++;
        }
    }

    /// <inheritdoc/>
    public void OnEnd(ProcessInfo process)
    {
        // An end needs no room, so none is forgotten: it goes behind the last spans, whoever has them.
        current ??= Take() ?? new RelayBlock { IsExtra = true };
        current.Ended.Add(process);
    }

    /// <inheritdoc/>
    public void Flush()
    {
        if (current is not null || refused > 0)
        {
            PutBack(isFull: false);
        }
    }

    /// <summary>Has the stages send what waits, and ends. Spans that come afterwards are lost.</summary>
    /// <param name="limit">How long that may take.</param>
    public void Stop(TimeSpan limit)
    {
        lock (gate)
        {
            if (isStopping)
            {
                return;
            }

            isStopping = true;
            deadline = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        }

        _ = work.Set();
        _ = thread.Join(limit + TimeSpan.FromMilliseconds(200));
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        lock (gate)
        {
            return [new PlaceCounters("export", "spans", produced, Emitted: emitted, Lost: lost, Held: held)];
        }
    }

    /// <summary>Ends the thread; without an earlier <see cref="Stop"/> what waits is lost.</summary>
    public void Dispose()
    {
        Stop(TimeSpan.Zero);
        if (!thread.IsAlive)
        {
            work.Dispose();
        }
    }

    /// <summary>The unfinished block, or an empty one; null when there is no room.</summary>
    private RelayBlock? Take()
    {
        lock (gate)
        {
            var block = unfinished;
            unfinished = null;
            if (block is null && !isStopping && (spare.TryPop(out block) || blocks < most))
            {
                block ??= new RelayBlock();
                blocks++;
            }

            return block;
        }
    }

    private void PutBack(bool isFull)
    {
        bool wakes;
        lock (gate)
        {
            produced += refused;
            lost += refused;
            refused = 0;
            var block = current;
            current = null;
            if (block is null)
            {
                return;
            }

            produced += block.Spans - block.Counted;
            if (isOver)
            {
                // The tracing thread had it when all the others were sent.
                lost += block.Spans;
                held -= block.Counted;
                return;
            }

            held += block.Spans - block.Counted;
            block.Counted = block.Spans;
            if (unfinished is not null)
            {
                ready.Enqueue(unfinished);
                unfinished = null;
            }

            if (isFull)
            {
                ready.Enqueue(block);
            }
            else
            {
                unfinishedSince = block.IsFresh ? Environment.TickCount64 : unfinishedSince;
                block.IsFresh = false;
                unfinished = block;
            }

            wakes = isFull || isIdle;
            isIdle = false;
        }

        if (wakes)
        {
            _ = work.Set();
        }
    }
}
