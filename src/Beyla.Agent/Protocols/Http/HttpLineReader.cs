using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// Takes lines from segments. A line that is whole in one segment is not copied; only one that is cut over segments is gathered in a
/// rented buffer. Ends at LF, with or without CR before it (RFC 9112 section 2.2).
/// </summary>
internal struct HttpLineReader
{
    /// <summary>Bytes of a line that are kept; the rest up to its end is passed over.</summary>
    public const int MaxLine = BufferPool.MaxSize;

    /// <summary>Bytes of a line that are gathered where memory is tight.</summary>
    private const int ShortLine = 1024;

    private byte[]? buffer;
    private int used;
    private bool isTruncated;

    /// <summary>Whether no part of a line was gathered.</summary>
    public readonly bool IsEmpty => used == 0;

    /// <summary>What was gathered so far.</summary>
    public readonly ReadOnlySpan<byte> Partial => buffer.AsSpan(0, used);

    /// <summary>The next line without its end; valid until the next call.</summary>
    /// <param name="segment">What is taken is consumed, all visible bytes when the line is not complete.</param>
    /// <param name="pool">Where a buffer comes from.</param>
    /// <param name="line">The line.</param>
    /// <param name="cut">The line was longer than <see cref="MaxLine"/>, or than what could be kept of it.</param>
    public bool TryRead(scoped ref Segment segment, BufferPool pool, out ReadOnlySpan<byte> line, out bool cut)
    {
        var end = segment.Data.IndexOf((byte)'\n');
        if (end is >= 0 and < MaxLine && used == 0 && !isTruncated)
        {
            line = segment.Data[..(end > 0 && segment.Data[end - 1] == '\r' ? end - 1 : end)];
            segment.Skip(end + 1);
            cut = false;
            return true;
        }

        if (end >= 0 && used == 0)
        {
            line = segment.Data[..end];
        }
        else
        {
            Gather(end < 0 ? segment.Data : segment.Data[..end], pool);
            line = Partial;
        }

        segment.Skip(end < 0 ? segment.Data.Length : end + 1);
        if (end >= 0)
        {
            used = 0;
        }

        cut = isTruncated || line.Length >= MaxLine;
        isTruncated &= end < 0;
        line = line.Length > MaxLine ? line[..MaxLine] : !cut && line.EndsWith("\r"u8) ? line[..^1] : line;
        return end >= 0;
    }

    /// <summary>Forgets an unfinished line and gives its buffer back.</summary>
    public void Release(BufferPool pool)
    {
        pool.Return(buffer);
        buffer = null;
        used = 0;
        isTruncated = false;
    }

    private void Gather(ReadOnlySpan<byte> data, BufferPool pool)
    {
        var room = (pool.IsTight ? Math.Max(used, ShortLine) : MaxLine) - used;
        isTruncated |= data.Length > room;
        data = data[..Math.Min(data.Length, room)];
        if (data.IsEmpty)
        {
            return;
        }

        if (buffer is null || used + data.Length > buffer.Length)
        {
            var larger = pool.Rent(used + data.Length);
            Partial.CopyTo(larger);
            pool.Return(buffer);
            buffer = larger;
        }

        data.CopyTo(buffer.AsSpan(used));
        used += data.Length;
    }
}
