using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Reads an inline command: a line of words, of which some may be quoted as in redis-cli. What is beyond <see cref="MaxLine"/> bytes is
/// passed over.
/// </summary>
internal struct RedisInlineReader
{
    private const int MaxLine = 1024;

    private byte[]? buffer;
    private int used, next;

    /// <summary>Takes a line.</summary>
    /// <param name="segment">What is taken is consumed.</param>
    /// <param name="buffers">Where room for the line comes from; see <see cref="Release"/>.</param>
    /// <param name="isText">Nothing in it is a control character.</param>
    /// <returns>Whether the line is complete.</returns>
    public bool TryReadLine(scoped ref Segment segment, BufferPool buffers, out bool isText)
    {
        var end = segment.Data.IndexOf((byte)'\n');
        var part = end < 0 ? segment.Data : segment.Data[..end];
        part = part[..Math.Min(part.Length, MaxLine - used)];
        buffer ??= buffers.Rent(MaxLine);
        part.CopyTo(buffer.AsSpan(used));
        used += part.Length;
        var line = buffer.AsSpan(0, used);
        if (end >= 0 && line.EndsWith("\r"u8))
        {
            line = line[..--used];
        }

        isText = IsText(end < 0 && line.EndsWith("\r"u8) ? line[..^1] : line);
        if (isText)
        {
            segment.Skip(end < 0 ? segment.Data.Length : end + 1);
        }

        next = 0;
        return isText && end >= 0;
    }

    /// <summary>How many words the line has.</summary>
    public int CountWords()
    {
        var count = 0;
        for (next = 0; TryTakeWord(out _); count++)
        {
        }

        next = 0;
        return count;
    }

    /// <summary>Takes the next word, without its quotes.</summary>
    public bool TryTakeWord(out ReadOnlySpan<byte> word)
    {
        var line = buffer.AsSpan(0, used);
        while (next < used && line[next] is (byte)' ' or (byte)'\t')
        {
            next++;
        }

        if (next >= used)
        {
            word = default;
            return false;
        }

        var quote = line[next] is (byte)'"' or (byte)'\'' ? line[next++] : (byte)0;
        var start = next;
        while (next < used && (quote == 0 ? line[next] is not ((byte)' ' or (byte)'\t') : line[next] != quote))
        {
            next += quote == '"' && line[next] == '\\' ? 2 : 1;
        }

        next = Math.Min(next, used);
        word = line[start..next];
        next += quote == 0 ? 0 : 1;
        return true;
    }

    /// <summary>Gives the buffer back.</summary>
    public void Release(BufferPool buffers)
    {
        buffers.Return(buffer);
        buffer = null;
        used = next = 0;
    }

    private static bool IsText(scoped ReadOnlySpan<byte> line)
    {
        foreach (var b in line)
        {
            if (b < 0x20 && b != '\t')
            {
                return false;
            }
        }

        return true;
    }
}
