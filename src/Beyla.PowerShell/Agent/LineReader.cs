namespace Beyla.PowerShell.Agent;

/// <summary>What <see cref="LineReader.TryRead"/> found.</summary>
public enum LineKind
{
    /// <summary>A whole line.</summary>
    Line,

    /// <summary>The beginning of a line that is longer than allowed; its rest is skipped.</summary>
    TooLong,

    /// <summary>The stream ended in mid-line.</summary>
    Cut,
}

/// <summary>
/// Cuts a stream of bytes into lines without copying them. Reads blocks as large as the pipe gives, and never holds more than one line
/// of the longest length allowed and one block.
/// </summary>
public sealed class LineReader
{
    /// <summary>The longest line of a stream, in bytes.</summary>
    public const int MaximumLineLength = 1 << 20;

    private const int BlockSize = 1 << 16;

    private readonly Stream stream;
    private readonly int maximum;
    private byte[] buffer = new byte[2 * BlockSize];
    private int start;
    private int scanned;
    private int end;
    private bool skipping;
    private bool ended;

    /// <summary>Reads lines from <paramref name="stream"/>.</summary>
    /// <param name="stream">Where the bytes come from; it is not closed.</param>
    /// <param name="maximumLineLength">Longer lines are reported as too long, in bytes.</param>
    public LineReader(Stream stream, int maximumLineLength = MaximumLineLength)
    {
        this.stream = stream;
        maximum = maximumLineLength;
    }

    /// <summary>Gives the next line that is already in memory; does not read from the stream.</summary>
    /// <param name="line">The line without its end; valid until the next call of <see cref="Fill"/>.</param>
    /// <param name="kind">Whether it is whole.</param>
    /// <returns>False when no line is left in memory.</returns>
    public bool TryRead(out ReadOnlySpan<byte> line, out LineKind kind)
    {
        kind = LineKind.Line;
        while (true)
        {
            var found = buffer.AsSpan(scanned, end - scanned).IndexOf((byte)'\n');
            if (found < 0)
            {
                scanned = end;
                return TryReadUnfinished(out line, out kind);
            }

            line = buffer.AsSpan(start, scanned + found - start);
            start = scanned = scanned + found + 1;
            if (skipping)
            {
                skipping = false;
                continue;
            }

            if (line.Length > maximum)
            {
                kind = LineKind.TooLong;
            }

            return true;
        }
    }

    /// <summary>Reads one block from the stream; blocks until there is one.</summary>
    /// <returns>False when the stream has ended and nothing is left to read.</returns>
    public bool Fill()
    {
        if (ended)
        {
            return false;
        }

        if (start > 0)
        {
            Buffer.BlockCopy(buffer, start, buffer, 0, end - start);
            (scanned, end, start) = (scanned - start, end - start, 0);
        }

        if (buffer.Length - end < BlockSize)
        {
            Array.Resize(ref buffer, Math.Min(2 * buffer.Length, maximum + (2 * BlockSize)));
        }

        var read = this.stream.Read(buffer, end, buffer.Length - end);
        end += read;
        ended = read == 0;
        return !ended || end > start;
    }

    private bool TryReadUnfinished(out ReadOnlySpan<byte> line, out LineKind kind)
    {
        line = buffer.AsSpan(start, end - start);
        kind = ended ? LineKind.Cut : LineKind.TooLong;
        if (skipping || (!ended && line.Length <= maximum))
        {
            if (skipping)
            {
                start = scanned = end;
            }

            line = default;
            return false;
        }

        if (line.IsEmpty)
        {
            return false;
        }

        skipping = !ended;
        start = scanned = end;
        return true;
    }
}
