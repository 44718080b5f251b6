namespace Beyla.Agent.Export;

/// <summary>What a record is counted as.</summary>
public enum OutputRecord : byte
{
    /// <summary>Not counted: headers, reports.</summary>
    Other = 0,

    /// <summary>A span.</summary>
    Span,

    /// <summary>A flow.</summary>
    Flow,

    /// <summary>A record of TCP statistics.</summary>
    Statistic,
}

/// <summary>
/// A block of whole records that waits to be written, with the end of each one, so that a write that stops in the
/// middle is counted exactly.
/// </summary>
internal sealed class OutputBlock(int size)
{
    private readonly byte[] bytes = GC.AllocateUninitializedArray<byte>(size, pinned: true);
    private readonly (int End, OutputRecord Kind)[] records = new (int, OutputRecord)[Math.Max(16, size / 64)];
    private int count;
    private int first;
    private int counted;

    /// <summary>Bytes of the records in the block.</summary>
    internal int Length { get; private set; }

    /// <summary>The records, one behind the other; valid until <see cref="Clear"/>.</summary>
    internal ReadOnlySpan<byte> Bytes => bytes.AsSpan(0, Length);

    /// <summary>Room for the next record; empty when there can be no further one.</summary>
    internal Span<byte> Free => count == records.Length ? default : bytes.AsSpan(Length);

    /// <summary>Takes what was written to <see cref="Free"/> as a record.</summary>
    internal void Commit(int length, OutputRecord kind)
    {
        Length += length;
        records[count++] = (Length, kind);
    }

    /// <summary>Adds a whole record, or nothing and answers false: the block is full.</summary>
    internal bool TryAdd(ReadOnlySpan<byte> record, OutputRecord kind)
    {
        if (!record.TryCopyTo(Free))
        {
            return false;
        }

        Commit(record.Length, kind);
        return true;
    }

    /// <summary>Counts the records that came since this was asked last.</summary>
    internal void TakeNew(Span<long> counts)
    {
        while (counted < count)
        {
            counts[(int)records[counted++].Kind]++;
        }
    }

    /// <summary>Takes the records that end at or before a position off the list and counts them.</summary>
    internal void Settle(int position, Span<long> counts)
    {
        while (first < count && records[first].End <= position)
        {
            counts[(int)records[first++].Kind]++;
        }
    }

    /// <summary>Empties the block for its next use.</summary>
    internal void Clear() => Length = count = first = counted = 0;
}
