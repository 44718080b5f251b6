namespace Beyla.Agent.Tracing;

/// <summary>
/// Byte buffers for the tracing thread, 256 bytes to 16 KB, and the memory budget of all protocols: what they keep for peers that send and
/// never end is bounded as a whole. Buffers count by their size, objects by an estimate (<see cref="ObjectPool{T}"/>). Over half of the
/// budget texts are kept short (<see cref="IsTight"/>); near its end what was silent longest is given up (<see cref="IsFull"/>). Unlike the
/// shared pool of .NET it needs no locks and knows how many are out, so that a test can prove that each came back.
/// </summary>
public sealed class BufferPool
{
    /// <summary>The largest buffer.</summary>
    public const int MaxSize = 256 << (2 * (Classes - 1));

    /// <summary>The budget where nothing else is said, bytes.</summary>
    public const long DefaultLimit = 64 << 20;

    private const int Classes = 4;
    private const int KeptBytes = 1 << 20;

    /// <summary>An array's own fields: header, type, length.</summary>
    private const int Overhead = 24;

    private const long TrimInterval = 1_000_000_000;

    private readonly Spares<byte[]>[] free = new Spares<byte[]>[Classes];
    private readonly int[] unused = new int[Classes];
    private long peak, trimmed;

    /// <param name="limit">The budget, bytes. An eighth of it is for what is kept for the next use.</param>
    public BufferPool(long limit = DefaultLimit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, MaxSize);
        Limit = limit;
    }

    /// <summary>The budget, bytes.</summary>
    public long Limit { get; }

    /// <summary>Bytes in use: of buffers that are rented and of objects, estimated.</summary>
    public long Used { get; private set; }

    /// <summary>Buffers that were rented and not returned yet.</summary>
    public int Outstanding { get; private set; }

    /// <summary>Over half of the budget is in use: what is kept anew is to be short.</summary>
    public bool IsTight => Used > Limit / 2;

    /// <summary>So much is in use that some of it has to be given up.</summary>
    public bool IsFull => Used > Limit - (Limit / 8);

    /// <summary>Once a second: what was kept for the next use and not needed is to be let go.</summary>
    internal event Action? Trimming;

    /// <summary>How much of a text is kept: all that fits, or so many bytes where memory is tight.</summary>
    public int Most(int whenTight) => IsTight ? whenTight : MaxSize;

    /// <summary>A buffer of at least <paramref name="size"/> bytes, at most <see cref="MaxSize"/>; its content is undefined.</summary>
    public byte[] Rent(int size)
    {
        var index = size <= 256 ? 0 : size <= 1024 ? 1 : size <= 4096 ? 2 : 3;
        Outstanding++;
        var length = 256 << (2 * index);
        Used += length + Overhead;
        ref var spares = ref free[index];
        if (spares.TryPop(out var buffer))
        {
            unused[index] = Math.Min(unused[index], spares.Count);
            return buffer!;
        }

        peak = Math.Max(peak, Used);
        return GC.AllocateUninitializedArray<byte>(length);
    }

    /// <summary>Takes a rented buffer back; null is ignored. Keeps about 1 MB of each size.</summary>
    public void Return(byte[]? buffer)
    {
        if (buffer is null)
        {
            return;
        }

        Outstanding--;
        Used -= buffer.Length + Overhead;
        ref var spares = ref free[ClassOf(buffer)];
        if (spares.Count * buffer.Length < KeptBytes)
        {
            spares.Push(buffer);
        }
    }

    /// <summary>Counts memory that is in use besides the buffers.</summary>
    /// <param name="bytes">An estimate.</param>
    public void Charge(int bytes)
    {
        Used += bytes;
        peak = Math.Max(peak, Used);
    }

    /// <summary>The memory is in use no longer.</summary>
    /// <param name="bytes">As it was charged.</param>
    public void Refund(int bytes) => Used -= bytes;

    /// <summary>
    /// Lets go, once a second, half of what was not needed since. After a rush the memory goes back to the system: an agent that allocates
    /// nothing would never collect.
    /// </summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    public void Trim(long now)
    {
        if (now - trimmed < TrimInterval)
        {
            return;
        }

        trimmed = now;
        for (var i = 0; i < Classes; i++)
        {
            free[i].Drop((unused[i] + 1) / 2);
            unused[i] = free[i].Count;
        }

        Trimming?.Invoke();
        if (peak > Limit / 4 && Used < peak / 4)
        {
            peak = Used;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    private static int ClassOf(byte[] buffer) => buffer.Length == 256 ? 0 : (int.Log2(buffer.Length) - 8) / 2;
}
