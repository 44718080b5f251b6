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
/// Cuts a stream of bytes into lines without copying them. Reads blocks as large as the pipe gives, and never holds more than one line of the
/// longest length allowed and one block.
/// </summary>
public sealed class LineReader
{
    /// <summary>The longest line of a stream, in bytes.</summary>
    public const int MaximumLineLength = 1 << 20;

    private const int BlockSize = 1 << 16;

    private readonly Stream _stream;
    private readonly int _maximum;
    private byte[] _buffer = new byte[2 * BlockSize];
    private int _start;
    private int _scanned;
    private int _end;
    private bool _skipping;
    private bool _ended;

    /// <summary>Reads lines from <paramref name="stream"/>.</summary>
    /// <param name="stream">Where the bytes come from; it is not closed.</param>
    /// <param name="maximumLineLength">Longer lines are reported as too long, in bytes.</param>
    public LineReader(Stream stream, int maximumLineLength = MaximumLineLength)
    {
        _stream = stream;
        _maximum = maximumLineLength;
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
            var found = _buffer.AsSpan(_scanned, _end - _scanned).IndexOf((byte)'\n');
            if (found < 0)
            {
                _scanned = _end;
                return TryReadUnfinished(out line, out kind);
            }

            line = _buffer.AsSpan(_start, _scanned + found - _start);
            _start = _scanned = _scanned + found + 1;
            if (_skipping)
            {
                _skipping = false;
                continue;
            }

            if (line.Length > _maximum)
                kind = LineKind.TooLong;
            return true;
        }
    }

    /// <summary>Reads one block from the stream; blocks until there is one.</summary>
    /// <returns>False when the stream has ended and nothing is left to read.</returns>
    public bool Fill()
    {
        if (_ended)
            return false;

        if (_start > 0)
        {
            Buffer.BlockCopy(_buffer, _start, _buffer, 0, _end - _start);
            (_scanned, _end, _start) = (_scanned - _start, _end - _start, 0);
        }

        if (_buffer.Length - _end < BlockSize)
            Array.Resize(ref _buffer, Math.Min(2 * _buffer.Length, _maximum + (2 * BlockSize)));

        var read = _stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _ended = read == 0;
        return !_ended || _end > _start;
    }

    private bool TryReadUnfinished(out ReadOnlySpan<byte> line, out LineKind kind)
    {
        line = _buffer.AsSpan(_start, _end - _start);
        kind = _ended ? LineKind.Cut : LineKind.TooLong;
        if (_skipping || (!_ended && line.Length <= _maximum))
        {
            if (_skipping)
                _start = _scanned = _end;
            line = default;
            return false;
        }

        if (line.IsEmpty)
            return false;

        _skipping = !_ended;
        _start = _scanned = _end;
        return true;
    }
}
