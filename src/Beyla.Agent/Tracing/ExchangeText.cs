namespace Beyla.Agent.Tracing;

/// <summary>Bytes that an exchange keeps, in one rented buffer that grows; at most <see cref="BufferPool.MaxSize"/>.</summary>
public struct ExchangeText
{
    private byte[]? buffer;

    /// <summary>Bytes kept.</summary>
    public int Length { get; private set; }

    /// <summary>What is kept.</summary>
    public readonly ReadOnlySpan<byte> All => buffer.AsSpan(0, Length);

    /// <summary>A part of it.</summary>
    public readonly ReadOnlySpan<byte> Slice(int start, int length) => buffer.AsSpan(start, length);

    /// <summary>Adds bytes.</summary>
    /// <returns>How many were kept: fewer than given when there is no room for more.</returns>
    public int Append(scoped ReadOnlySpan<byte> bytes, BufferPool buffers)
    {
        bytes = bytes[..Math.Min(bytes.Length, BufferPool.MaxSize - Length)];
        if (bytes.IsEmpty)
        {
            return 0;
        }

        if (buffer is null || Length + bytes.Length > buffer.Length)
        {
            var larger = buffers.Rent(Length + bytes.Length);
            All.CopyTo(larger);
            buffers.Return(buffer);
            buffer = larger;
        }

        bytes.CopyTo(buffer.AsSpan(Length));
        Length += bytes.Length;
        return bytes.Length;
    }

    /// <summary>Forgets everything behind a length.</summary>
    public void Truncate(int length) => Length = Math.Min(length, Length);

    /// <summary>Gives the buffer back.</summary>
    public void Release(BufferPool buffers)
    {
        buffers.Return(buffer);
        buffer = null;
        Length = 0;
    }
}
