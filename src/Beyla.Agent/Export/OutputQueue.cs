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
public sealed partial class OutputQueue : ICounted, IDisposable
{
    /// <summary>Standard output.</summary>
    public const int StandardOutput = 1;

    /// <summary>Default size of a block; below the size at which arrays go to the large object heap.</summary>
    public const int DefaultBlockSize = 64 * 1024;

    /// <summary>Default room for everything that waits.</summary>
    public const int DefaultCapacity = 16 * 1024 * 1024;

    private const int WaitMilliseconds = 50, IdleMilliseconds = 500;

    private readonly OutputDescriptor output;
    private readonly Lock gate = new();
    private readonly AutoResetEvent work = new(false);
    private readonly ManualResetEventSlim drained = new(true);
    private readonly OutputBlocks blocks; // under the gate, as is all below
    private readonly Thread writer;
    private OutputBlock? writing;
    private OutputBlock? rest; // the one that is being written, from there on, by the writer
    private int restFrom;
    private long deadline = long.MaxValue;
    private bool watched;
    private bool flushing;
    private bool stopping;
    private bool closed;

    /// <param name="fileDescriptor">Where to write; 1 is standard output.</param>
    /// <param name="capacity">Most bytes that wait, in blocks; the memory that a reader who has stopped can cost.</param>
    /// <param name="blockSize">Size of a block; no record can be longer.</param>
    public OutputQueue(int fileDescriptor = StandardOutput, int capacity = DefaultCapacity, int blockSize = DefaultBlockSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, blockSize);
        output = new OutputDescriptor(fileDescriptor);
        blocks = new OutputBlocks(blockSize, capacity / blockSize);
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
            var before = blocks.Ready;
            if (closed || stopping)
            {
                blocks.Counters.Refuse(kind);
                return false;
            }

            added = blocks.TryAdd(record, kind);
            handedOver = blocks.Ready > before;
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
            var block = closed || stopping ? null : blocks.Take();
            flushing &= block is null;
            return block;
        }
    }

    /// <summary>Counts a record for which there was no block.</summary>
    internal void Refuse(OutputRecord kind)
    {
        lock (gate)
        {
            blocks.Counters.Refuse(kind);
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
            var before = blocks.Ready;
            if (block is not null)
            {
                blocks.PutBack(block);
                if (closed || stopping)
                {
                    blocks.Discard();
                }
            }

            block = null;
            if (blocks.HasUnfinished && blocks.Ready == 0 && writing is null)
            {
                block = writing = blocks.Take();
            }
            else if (blocks.HasUnfinished)
            {
                flushing = true; // the writer takes it when it has written the rest
                if (isFull)
                {
                    FinishUnfinished();
                }
            }

            handedOver = blocks.Ready > before;
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
                if (closed || (blocks.Ready == 0 && writing is null && !blocks.HasUnfinished))
                {
                    return !closed;
                }

                handedOver = blocks.HasUnfinished;
                FinishUnfinished();

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
            FinishUnfinished();
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
            return blocks.Counters.Count();
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

    private void FinishUnfinished()
    {
        if (blocks.HasUnfinished)
        {
            blocks.Finish();
            flushing = false;
        }
    }

    /// <summary>Never inside the gate: a writer that runs at once would find it shut, sleep, and have to be woken again.</summary>
    private void Wake(bool handedOver)
    {
        if (handedOver)
        {
            _ = work.Set();
        }
    }
}
