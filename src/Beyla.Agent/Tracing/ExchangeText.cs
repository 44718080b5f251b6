namespace Beyla.Agent.Tracing;

/// <summary>Bytes that an exchange keeps, in one rented buffer that grows; at most <see cref="BufferPool.MaxSize"/>.</summary>
public struct ExchangeText
{
    private byte[]? buffer;

    /// <summary>The end of a text of which something was left out for want of room.</summary>
    public static ReadOnlySpan<byte> CutMark => "…"u8;

    /// <summary>Bytes kept.</summary>
    public int Length { get; private set; }

    /// <summary>Where it is kept; null when there is none.</summary>
    public readonly byte[]? Buffer => buffer;

    /// <summary>What is kept.</summary>
    public readonly ReadOnlySpan<byte> All => buffer.AsSpan(0, Length);

    /// <summary>A part of it.</summary>
    public readonly ReadOnlySpan<byte> Slice(int start, int length) => buffer.AsSpan(start, length);

    /// <summary>Has room for that many more bytes, as far as there can be, so that they need not be copied later.</summary>
    public void Reserve(int more, BufferPool buffers)
    {
        var size = Math.Min(BufferPool.MaxSize, Length + more);
        if (buffer is not null && size <= buffer.Length)
        {
            return;
        }

        var larger = buffers.Rent(size);
        All.CopyTo(larger);
        buffers.Return(buffer);
        buffer = larger;
    }

    /// <summary>Adds bytes.</summary>
    /// <returns>How many were kept: fewer than given when there is no room for more.</returns>
    public int Append(scoped ReadOnlySpan<byte> bytes, BufferPool buffers)
    {
        bytes = bytes[..Math.Min(bytes.Length, BufferPool.MaxSize - Length)];
        if (bytes.IsEmpty)
        {
            return 0;
        }

        Reserve(bytes.Length, buffers);
        bytes.CopyTo(buffer.AsSpan(Length));
        Length += bytes.Length;
        return bytes.Length;
    }

    /// <summary>
    /// Adds a text that is only shown. One that is too long, or for which there is no room, is cut and ends in <c>…</c>.
    /// </summary>
    /// <param name="bytes">The text.</param>
    /// <param name="most">Bytes that it may take; see <see cref="BufferPool.Most"/>.</param>
    /// <param name="buffers">Where the room comes from.</param>
    /// <returns>How many bytes it takes.</returns>
    public int AppendShown(scoped ReadOnlySpan<byte> bytes, int most, BufferPool buffers)
    {
        var room = Math.Min(most, BufferPool.MaxSize - Length);
        if (bytes.Length <= room)
        {
            return Append(bytes, buffers);
        }

        var cut = Math.Max(0, room - CutMark.Length);
        while (cut > 0 && (bytes[cut] & 0xc0) == 0x80)
        {
            // Not within a character of UTF-8; what is none loses a few bytes more.
            cut--;
        }

        return Append(bytes[..cut], buffers) + Append(CutMark, buffers);
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
