namespace Beyla.Agent.Tracing;

/// <summary>
/// Byte buffers for the tracing thread: 256 bytes to 16 KB. Unlike the shared pool of .NET it needs no locks and knows how many are
/// out, so that a test can prove that each came back.
/// </summary>
public sealed class BufferPool
{
    /// <summary>The largest buffer.</summary>
    public const int MaxSize = 256 << (2 * (Classes - 1));

    private const int Classes = 4;
    private const int KeptBytes = 1 << 20;

    private readonly Stack<byte[]>[] free = [[], [], [], []];

    /// <summary>Buffers that were rented and not returned yet.</summary>
    public int Outstanding { get; private set; }

    /// <summary>A buffer of at least <paramref name="size"/> bytes, at most <see cref="MaxSize"/>; its content is undefined.</summary>
    public byte[] Rent(int size)
    {
        var index = 0;
        while (256 << (2 * index) < size)
        {
            index++;
        }

        Outstanding++;
        return free[index].TryPop(out var buffer) ? buffer : GC.AllocateUninitializedArray<byte>(256 << (2 * index));
    }

    /// <summary>Takes a rented buffer back; null is ignored. Keeps about 1 MB of each size.</summary>
    public void Return(byte[]? buffer)
    {
        if (buffer is null)
        {
            return;
        }

        Outstanding--;
        var stack = free[(int.Log2(buffer.Length) - 8) / 2];
        if (stack.Count * buffer.Length < KeptBytes)
        {
            stack.Push(buffer);
        }
    }
}
