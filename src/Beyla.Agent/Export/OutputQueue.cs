using System.Diagnostics;
using Beyla.Agent.Counting;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Export;

/// <summary>
/// Takes records from any thread and writes them to standard output. It never makes the caller wait: as long as the reader takes everything
/// at once, the caller of <see cref="Flush"/> writes; what would have to wait goes to a thread of its own, and when the room is full, new
/// records are dropped and counted (place <c>printer</c>). Records are gathered in blocks; <see cref="Flush"/>, called after each batch of
/// events, has an unfinished block written as soon as nothing is before it.
/// </summary>
public sealed class OutputQueue : ICounted, IDisposable
{
    /// <summary>Default size of a block; below the size at which arrays go to the large object heap.</summary>
    public const int DefaultBlockSize = 64 * 1024;

    /// <summary>Default room for everything that waits.</summary>
    public const int DefaultCapacity = 16 * 1024 * 1024;

    private const int WaitMilliseconds = 50, IdleMilliseconds = 500, SpareBlocks = 8;

    private readonly OutputDescriptor output;
    private readonly int blockSize;
    private readonly int mostBlocks;
    private readonly Lock gate = new();
    private readonly AutoResetEvent work = new(false);
    private readonly ManualResetEventSlim drained = new(true);
    private readonly Queue<OutputBlock> ready = new();
    private readonly Stack<OutputBlock> spare = new();
    private readonly Thread writer;
    private readonly OutputCounters counters = new(); // under the gate
    private OutputBlock? current;
    private OutputBlock? writing;
    private OutputBlock? rest; // the one that is being written, from there on, by the writer
    private int restFrom;
    private int blocks;
    private bool watched;
    private long deadline = long.MaxValue;
    private bool flushing;
    private bool stopping;
    private bool closed;

    /// <param name="fileDescriptor">Where to write; 1 is standard output.</param>
    /// <param name="capacity">Most bytes that wait, in blocks; the memory that a reader who has stopped can cost.</param>
    /// <param name="blockSize">Size of a block; no record can be longer.</param>
    public OutputQueue(int fileDescriptor = 1, int capacity = DefaultCapacity, int blockSize = DefaultBlockSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, blockSize);
        output = new OutputDescriptor(fileDescriptor);
        this.blockSize = blockSize;
        mostBlocks = capacity / blockSize;
        writer = new Thread(WriteAll) { IsBackground = true, Name = "output" };
        writer.Start();
    }

    /// <summary>
    /// The output ended: 0 when its reader has closed it (a normal stop), else the errno of the failed write. Raised once, on the thread
    /// that found it; what is appended afterwards is lost.
    /// </summary>
    public event Action<int>? Closed;

    /// <summary>Adds a record. Any thread; does not wait for the reader, does not allocate while blocks are spare.</summary>
    /// <param name="record">Whole, with its line feed.</param>
    /// <param name="kind">What it counts as.</param>
    /// <returns>False when it was dropped.</returns>
    public bool Append(ReadOnlySpan<byte> record, OutputRecord kind)
    {
        bool added, handedOver;
        lock (gate)
        {
            var before = ready.Count;
            added = !closed && !stopping && TryAdd(record, kind);
            if (added)
            {
                counters.Produce(current!);
            }
            else
            {
                counters.Refuse(kind);
            }

            handedOver = ready.Count > before;
        }

        Wake(handedOver);
        return added;
    }

    /// <summary>
    /// Lets what was appended become visible. While something before it waits, the unfinished block waits for more: half-empty blocks
    /// would use up the room.
    /// </summary>
    public void Flush() => GiveBack(null, isFull: false);

    /// <summary>Looks whether the reader is gone; the writer leaves that to the caller from the first time on. Does not wait.</summary>
    public void Look()
    {
        watched = true;
        if (!closed && output.IsClosed())
        {
            End(0);
        }
    }

    /// <summary>
    /// The block into which the next records go, for its borrower alone until <see cref="GiveBack"/>: of many records in a row none needs
    /// the gate.
    /// </summary>
    /// <returns>Null when there is no room.</returns>
    internal OutputBlock? Borrow()
    {
        lock (gate)
        {
            if (closed || stopping || (current is null && !TryRent()))
            {
                return null;
            }

            var block = current;
            current = null;
            flushing = false;
            return block;
        }
    }

    /// <summary>Counts a record for which there was no block.</summary>
    internal void Refuse(OutputRecord kind)
    {
        lock (gate)
        {
            counters.Refuse(kind);
        }
    }

    /// <summary>Takes a borrowed block back, counts what is new in it, and does what <see cref="Flush"/> does.</summary>
    /// <param name="block">Null where none was borrowed.</param>
    /// <param name="isFull">Nothing more fits: it must not wait for more.</param>
    internal void GiveBack(OutputBlock? block, bool isFull)
    {
        bool handedOver;
        lock (gate)
        {
            var before = ready.Count;
            if (block is not null)
            {
                TakeBack(block);
            }

            if (current is not { Length: > 0 })
            {
                block = null;
            }
            else if (ready.Count == 0 && writing is null)
            {
                (block, writing, current) = (current, current, null);
            }
            else
            {
                block = null;
                flushing = true; // the writer takes it when it has written the rest
                if (isFull)
                {
                    HandOver();
                }
            }

            handedOver = ready.Count > before;
        }

        Wake(handedOver);
        if (block is not null)
        {
            WriteAtOnce(block);
        }
    }

    /// <summary>Waits until everything appended so far is written; false at the limit. More may be appended afterwards.</summary>
    public bool Drain(TimeSpan limit)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            bool handedOver;
            lock (gate)
            {
                if (closed || (ready.Count == 0 && writing is null && current is not { Length: > 0 }))
                {
                    return !closed;
                }

                handedOver = current is { Length: > 0 };
                if (handedOver)
                {
                    HandOver();
                }

                drained.Reset();
            }

            Wake(handedOver);
            var left = limit - Stopwatch.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || !drained.Wait(left))
            {
                return false;
            }
        }
    }

    /// <summary>Writes what waits, for as long as the limit, then ends the writer. What could not be written is lost and counted.</summary>
    public void Stop(TimeSpan limit)
    {
        lock (gate)
        {
            if (stopping)
            {
                return;
            }

            stopping = true;
            deadline = Environment.TickCount64 + (long)limit.TotalMilliseconds;
            if (current is { Length: > 0 })
            {
                HandOver();
            }
        }

        Wake(true);
        // The writer looks at the deadline at least every 50 ms; it can only be late on a device that takes nothing,
        // such as a stopped terminal.
        _ = writer.Join(limit + TimeSpan.FromMilliseconds(200));
        lock (gate)
        {
            Discard();
        }
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        lock (gate)
        {
            return counters.Count();
        }
    }

    /// <summary>Ends the writer; without an earlier <see cref="Stop"/> what waits is lost.</summary>
    public void Dispose()
    {
        Stop(TimeSpan.Zero);
        if (writer.IsAlive)
        {
            return; // it still uses them
        }

        work.Dispose();
        drained.Dispose();
    }

    private bool TryAdd(ReadOnlySpan<byte> record, OutputRecord kind)
    {
        if (record.Length > blockSize)
        {
            return false;
        }

        if (current is not null && current.TryAdd(record, kind))
        {
            return true;
        }

        if (current is not null)
        {
            HandOver();
        }

        return TryRent() && current!.TryAdd(record, kind);
    }

    private bool TryRent()
    {
        if (blocks == mostBlocks)
        {
            return false;
        }

        blocks++;
        current = spare.TryPop(out var block) ? block : new OutputBlock(blockSize);
        return true;
    }

    /// <summary>What others appended meanwhile goes before it.</summary>
    private void TakeBack(OutputBlock block)
    {
        counters.Produce(block);
        if (closed || stopping)
        {
            counters.Lose(block);
            Recycle(block);
            return;
        }

        if (current is not null)
        {
            HandOver();
        }

        current = block;
    }

    private void HandOver()
    {
        ready.Enqueue(current!);
        current = null;
        flushing = false;
    }

    /// <summary>Never inside the gate: a writer that runs at once would find it shut, sleep, and have to be woken again.</summary>
    private void Wake(bool handedOver)
    {
        if (handedOver)
        {
            _ = work.Set();
        }
    }

    private void WriteAll()
    {
        while (true)
        {
            OutputBlock? block;
            int from;
            lock (gate)
            {
                (block, from) = closed ? default : rest is not null ? (rest, restFrom) : writing is null ? (TakeNext(), 0) : default;
                rest = null;
                writing ??= block;
                if (writing is null)
                {
                    drained.Set();
                }

                if ((stopping && writing is null) || closed)
                {
                    return;
                }
            }

            if (block is not null)
            {
                Write(block, from);
            }
            else if (!work.WaitOne(watched ? Timeout.Infinite : IdleMilliseconds) && output.IsClosed())
            {
                End(0);
            }
        }
    }

    private OutputBlock? TakeNext()
    {
        if (flushing && ready.Count == 0 && current is { Length: > 0 })
        {
            HandOver();
        }

        return ready.TryDequeue(out var next) ? next : null;
    }

    private void Write(OutputBlock block, int position)
    {
        while (position < block.Length)
        {
            if (Environment.TickCount64 >= Volatile.Read(ref deadline))
            {
                lock (gate)
                {
                    closed = true;
                    Discard();
                }

                return;
            }

            var result = output.TryWrite(block.Bytes[position..], WaitMilliseconds, out var written);
            if (result == WriteResult.Written)
            {
                position += written;
                lock (gate)
                {
                    counters.Emit(block, position);
                }
            }
            else if (result != WriteResult.Full)
            {
                End(result == WriteResult.Closed ? 0 : output.Error);
                return;
            }
        }

        lock (gate)
        {
            writing = null;
            Recycle(block);
        }
    }

    /// <summary>Writes a block on the caller's thread as far as that does not wait; the rest is the writer's.</summary>
    private void WriteAtOnce(OutputBlock block)
    {
        var position = 0;
        var result = WriteResult.Written;
        while (position < block.Length && result == WriteResult.Written)
        {
            result = output.TryWriteAtOnce(block.Bytes[position..], out var written);
            position += written;
        }

        bool isWriterNeeded;
        lock (gate)
        {
            if (writing != block)
            {
                return; // given up meanwhile
            }

            counters.Emit(block, position);
            if (position == block.Length)
            {
                writing = null;
                Recycle(block);
                isWriterNeeded = flushing || ready.Count > 0 || stopping || !drained.IsSet;
            }
            else
            {
                isWriterNeeded = result == WriteResult.Full;
                (rest, restFrom) = isWriterNeeded ? (block, position) : default;
            }
        }

        Wake(isWriterNeeded);
        if (result is WriteResult.Closed or WriteResult.Failed)
        {
            End(result == WriteResult.Closed ? 0 : output.Error);
        }
    }

    private void End(int error)
    {
        lock (gate)
        {
            if (closed)
            {
                return;
            }

            closed = true;
            Discard();
        }

        drained.Set();
        Wake(true);
        Closed?.Invoke(error);
    }

    /// <summary>Everything that still waits is lost.</summary>
    private void Discard()
    {
        if (writing is not null)
        {
            counters.Lose(writing);
            writing = rest = null;
        }

        if (current is not null)
        {
            HandOver();
        }

        while (ready.TryDequeue(out var block))
        {
            counters.Lose(block);
            Recycle(block);
        }
    }

    private void Recycle(OutputBlock block)
    {
        blocks--;
        if (spare.Count < SpareBlocks)
        {
            block.Clear();
            spare.Push(block);
        }
    }
}
