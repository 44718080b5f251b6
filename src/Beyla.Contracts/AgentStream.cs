namespace Beyla;

/// <summary>
/// Reads the stream of an agent (docs/stream.md) line by line. Memory is bounded whatever the other side sends: a line longer than the
/// limit is skipped without being kept. Blocks in the source's Read. One reader thread.
/// </summary>
public sealed class AgentStream : IDisposable
{
    /// <summary>The default limit of a line's length, in bytes.</summary>
    public const int DefaultMaximumLineLength = 1024 * 1024;

    private readonly Stream source;
    private readonly int maximum;
    private readonly bool isPart;
    private readonly StreamLineParser parser = new();
    private byte[] buffer = new byte[64 * 1024];
    private int start;
    private int end;
    private int searched;
    private long number;
    private long skipped;
    private bool ended;

    /// <param name="source">What the agent writes; disposed with this object.</param>
    /// <param name="maximumLineLength">Longest line that is accepted, in bytes.</param>
    /// <param name="isPart">
    /// Whether lines may have been taken out, as by grep(1), the header too; else a stream that does not begin with it is an error.
    /// </param>
    public AgentStream(Stream source, int maximumLineLength = DefaultMaximumLineLength, bool isPart = false)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumLineLength, 1);
        this.source = source;
        maximum = maximumLineLength;
        this.isPart = isPart;
    }

    /// <summary>The header, once it was read.</summary>
    public StreamHeader? Header { get; private set; }

    /// <summary>Number of the last line that was read, from 1.</summary>
    public long LineNumber => number;

    /// <summary>Whether a whole line waits in the buffer, so that <see cref="TryRead"/> does not block.</summary>
    public bool HasLine => skipped == 0 && buffer.AsSpan(start, end - start).Contains((byte)'\n');

    /// <summary>Reads the next line; empty lines are passed over.</summary>
    /// <returns>False at the end of the stream.</returns>
    /// <exception cref="IOException">The source failed.</exception>
    public bool TryRead(out StreamLine line)
    {
        while (true)
        {
            var length = buffer.AsSpan(searched, end - searched).IndexOf((byte)'\n');
            if (length >= 0)
            {
                var text = buffer.AsSpan(start, searched + length - start);
                start = searched += length + 1;
                number++;
                if (Finish(text, out line))
                {
                    return true;
                }

                continue;
            }

            searched = end;
            if (end - start > maximum || skipped > 0)
            {
                Skip();
            }

            if (ended || !Fill())
            {
                return End(out line);
            }
        }
    }

    /// <summary>Closes the source.</summary>
    public void Dispose() => source.Dispose();

    private bool Finish(ReadOnlySpan<byte> text, out StreamLine line)
    {
        var length = skipped + text.Length;
        if (length > maximum)
        {
            // The excerpt is the beginning of what is left of the line: the rest was given back.
            skipped = 0;
            line = StreamLine.Bad(
                StreamErrorKind.TooLong, FormattableString.Invariant($"a line of {length} bytes is longer than {maximum}"),
                text, number, length);
            return true;
        }

        text = text.TrimEnd((byte)'\r');
        if (text.IsEmpty)
        {
            line = default;
            return false;
        }

        line = parser.Parse(text).At(number);
        if (Header is null && line.Error is null)
        {
            Header = line.Value as StreamHeader;
            if (Header is null && !isPart)
            {
                line = StreamLine.Bad(
                    StreamErrorKind.MissingHeader,
                    "the stream does not begin with a line of type stream: is this an agent with the json printer?",
                    text, number);
            }
        }

        return true;
    }

    /// <summary>What stands behind the last line feed: a whole object is accepted, half of one is an error of its own.</summary>
    private bool End(out StreamLine line)
    {
        ended = true;
        var rest = buffer.AsSpan(start, end - start);
        start = searched = end;
        if (rest.IsEmpty && skipped == 0)
        {
            line = default;
            return false;
        }

        number++;
        var length = skipped + rest.Length;
        if (!Finish(rest, out line))
        {
            return false;
        }

        if (line.Error is { Kind: StreamErrorKind.BadJson })
        {
            line = StreamLine.Bad(
                StreamErrorKind.Incomplete, FormattableString.Invariant($"the stream ended within a line, after {length} bytes"),
                rest, number, length);
        }

        return true;
    }

    private void Skip()
    {
        skipped += end - start;
        start = searched = end = 0;
    }

    private bool Fill()
    {
        if (start == end)
        {
            start = searched = end = 0;
        }
        else if (end == buffer.Length)
        {
            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                end -= start;
                searched -= start;
                start = 0;
            }
            else
            {
                Array.Resize(ref buffer, (int)Math.Min(buffer.Length * 2L, maximum + 1L + 64 * 1024));
            }
        }

        var read = source.Read(buffer, end, buffer.Length - end);
        end += read;
        return read > 0;
    }
}
