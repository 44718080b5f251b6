namespace Beyla.Agent.Export;

/// <summary>
/// The blocks of an <see cref="OutputQueue"/>: the unfinished one, those that wait to be written, and those that are free; with their
/// number the room is bounded. For one thread at a time.
/// </summary>
/// <param name="blockSize">Bytes of a block; no record can be longer.</param>
/// <param name="most">How many there may be.</param>
internal sealed class OutputBlocks(int blockSize, int most)
{
    private const int MaxSpare = 8;

    private readonly Queue<OutputBlock> ready = new();
    private readonly Stack<OutputBlock> spare = new();
    private OutputBlock? current;
    private int count;

    /// <summary>What became of the records.</summary>
    internal OutputCounters Counters { get; } = new();

    /// <summary>Whole blocks that wait.</summary>
    internal int Ready => ready.Count;

    /// <summary>Whether records wait in the unfinished block.</summary>
    internal bool HasUnfinished => current is { Length: > 0 };

    /// <summary>Adds a record to the unfinished block, or to the next one when it does not fit.</summary>
    /// <returns>False when there is no room.</returns>
    internal bool TryAdd(ReadOnlySpan<byte> record, OutputRecord kind)
    {
        var isAdded = record.Length <= blockSize && ((current is not null && current.TryAdd(record, kind)) || TryAddToNext(record, kind));
        if (isAdded)
        {
            Counters.Produce(current!);
        }
        else
        {
            Counters.Refuse(kind);
        }

        return isAdded;
    }

    /// <summary>Takes the unfinished block out, or a free one.</summary>
    /// <returns>Null when there is no room.</returns>
    internal OutputBlock? Take()
    {
        var block = current ?? Rent();
        current = null;
        return block;
    }

    /// <summary>Counts what is new in a block that was taken; it becomes the unfinished one, behind what others added meanwhile.</summary>
    internal void PutBack(OutputBlock block)
    {
        Counters.Produce(block);
        if (current is not null)
        {
            Finish();
        }

        current = block;
    }

    /// <summary>The unfinished block, which there is, waits to be written.</summary>
    internal void Finish()
    {
        ready.Enqueue(current!);
        current = null;
    }

    /// <summary>The next whole block to write, or null.</summary>
    internal OutputBlock? Next() => ready.TryDequeue(out var block) ? block : null;

    /// <summary>A block is written, or what is left of it is lost: it is free.</summary>
    internal void Recycle(OutputBlock block)
    {
        Counters.Lose(block);
        count--;
        if (spare.Count < MaxSpare)
        {
            block.Clear();
            spare.Push(block);
        }
    }

    /// <summary>Everything that waits is lost.</summary>
    internal void Discard()
    {
        if (current is not null)
        {
            Finish();
        }

        while (Next() is { } block)
        {
            Recycle(block);
        }
    }

    private bool TryAddToNext(ReadOnlySpan<byte> record, OutputRecord kind)
    {
        if (current is not null)
        {
            Finish();
        }

        current = Rent();
        return current is not null && current.TryAdd(record, kind);
    }

    private OutputBlock? Rent()
    {
        if (count == most)
        {
            return null;
        }

        count++;
        return spare.TryPop(out var block) ? block : new OutputBlock(blockSize);
    }
}
