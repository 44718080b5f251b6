using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Finds the commands in the stream of requests: arrays of bulk strings, <c>*2 $3 GET $1 a</c>, and inline commands, a line of words.
/// Values are passed over by their length, seen or not.
/// </summary>
internal sealed class RedisRequests
{
    // The server's own limit is proto-max-bulk-len, 512 MB unless set otherwise.
    private const long MaxBulk = 1L << 40;

    private RedisExchanges exchanges = null!;
    private RedisInlineReader inline;
    private RedisPending command;
    private RespNumber number;
    private Place place;
    private long arguments, left;
    private bool isLost, hasReturn;

    private enum Place : byte
    {
        Command,
        Count,
        Mark,
        Length,
        Bytes,
        End,
        Inline,
    }

    /// <summary>Nothing of a command has been read.</summary>
    public bool IsBetween => !HasPart && !isLost;

    /// <summary>Something of a command has been read.</summary>
    public bool HasPart => place != Place.Command;

    private bool IsCertain => !isLost && exchanges.IsProven;

    /// <summary>Ready for a connection, between two commands.</summary>
    public void Begin(RedisExchanges exchanges)
    {
        this.exchanges = exchanges;
        place = Place.Command;
        command.Clear();
        isLost = hasReturn = false;
    }

    /// <summary>Gives buffers back.</summary>
    public void Release()
    {
        inline.Release(exchanges.Buffers);
        command.Clear();
    }

    /// <summary>Reads all of a segment.</summary>
    public void Read(ref Segment segment)
    {
        while (segment.Left > 0)
        {
            if (segment.Data.IsEmpty)
            {
                PassOver(ref segment);
            }
            else if (Step(ref segment) == RespProgress.Bad)
            {
                Lose(segment.Left);
                segment.SkipAll();
            }
        }
    }

    /// <summary>Nothing more comes: a command that is not complete ends as it is.</summary>
    public void End() => command.End(exchanges);

    /// <summary>Memory is tight: what is kept of an unfinished command and can be shortened is.</summary>
    public void Shorten() => command.Shorten();

    private void PassOver(ref Segment segment)
    {
        if (place == Place.Bytes && left > 0)
        {
            var count = Math.Min(left, segment.Unseen);
            left -= count;
            command.PassOver(count);
            segment.Skip(count);
            if (left == 0)
            {
                EndBytes();
            }

            return;
        }

        // The end of a long value is not captured, as the value is not.
        if (place == Place.End && PassEnd(ref segment) != RespProgress.Bad)
        {
            return;
        }

        // The last bytes become visible again, and are behind the hole.
        Lose(segment.Unseen);
        segment.SkipAll();
    }

    private RespProgress Step(ref Segment segment)
    {
        switch (place)
        {
            case Place.Command:
                return BeginCommand(ref segment);
            case Place.Count:
                return ReadCount(ref segment);
            case Place.Mark:
                if (segment.Data[0] != '$')
                {
                    return RespProgress.Bad;
                }

                segment.Skip(1);
                number = default;
                place = Place.Length;
                return RespProgress.More;
            case Place.Length:
                return ReadLength(ref segment);
            case Place.Bytes:
                ReadBytes(ref segment);
                return RespProgress.More;
            case Place.End:
                return segment.Data[0] == (hasReturn ? '\n' : '\r') ? PassEnd(ref segment) : RespProgress.Bad;
            default:
                return ReadInline(ref segment);
        }
    }

    private RespProgress BeginCommand(ref Segment segment)
    {
        var first = segment.Data[0];
        if (first is (byte)'\r' or (byte)'\n' && !isLost)
        {
            // An empty inline command: passed over by the server too.
            segment.Skip(1);
            return RespProgress.More;
        }

        command.Begin(in segment);
        if (first == '*')
        {
            segment.Skip(1);
            number = default;
            place = Place.Count;
            return RespProgress.More;
        }

        if (isLost || !exchanges.MayBeInline || !char.IsAsciiLetter((char)first))
        {
            return RespProgress.Bad;
        }

        place = Place.Inline;
        return RespProgress.More;
    }

    private RespProgress ReadCount(ref Segment segment)
    {
        var progress = number.Read(ref segment);
        if (progress == RespProgress.Done)
        {
            if (number.Value > int.MaxValue)
            {
                return RespProgress.Bad;
            }

            // An array of nothing has no response.
            arguments = number.Value;
            place = arguments > 0 ? Place.Mark : Place.Command;
        }

        return progress;
    }

    private RespProgress ReadLength(ref Segment segment)
    {
        var progress = number.Read(ref segment);
        if (progress == RespProgress.Done)
        {
            left = number.Value;
            if (left is < 0 or > MaxBulk)
            {
                return RespProgress.Bad;
            }

            place = Place.Bytes;
            command.BeginArgument();
            if (left == 0)
            {
                EndBytes();
            }
        }

        return progress;
    }

    private void ReadBytes(ref Segment segment)
    {
        var count = (int)Math.Min(left, segment.Data.Length);
        command.Append(segment.Data[..count]);
        left -= count;
        segment.Skip(count);
        if (left == 0)
        {
            EndBytes();
        }
    }

    private void EndBytes()
    {
        place = Place.End;
        hasReturn = false;
        command.EndArgument();
    }

    private RespProgress PassEnd(ref Segment segment)
    {
        segment.Skip(1);
        if (!hasReturn)
        {
            hasReturn = true;
            return RespProgress.More;
        }

        arguments--;
        if (!command.TryOpen(exchanges, arguments, IsCertain))
        {
            return RespProgress.Bad;
        }

        place = Place.Mark;
        if (arguments == 0)
        {
            Complete(segment.Time);
        }

        return RespProgress.More;
    }

    private RespProgress ReadInline(ref Segment segment)
    {
        if (!inline.TryReadLine(ref segment, exchanges.Buffers, out var isText))
        {
            return isText ? RespProgress.More : RespProgress.Bad;
        }

        var words = inline.CountWords();
        place = Place.Command;
        if (words > 0)
        {
            inline.TryTakeWord(out var word);
            command.Append(word);
            _ = command.TryOpen(exchanges, words - 1, isCertain: true);
            while (inline.TryTakeWord(out word))
            {
                command.BeginArgument();
                command.Append(word);
                command.EndArgument();
            }

            Complete(segment.Time);
        }

        inline.Release(exchanges.Buffers);
        return RespProgress.More;
    }

    private void Complete(long time)
    {
        place = Place.Command;
        isLost = false;
        command.Complete(exchanges, time);
    }

    /// <summary>What comes next cannot be told: from here on a command is looked for where an operation begins.</summary>
    private void Lose(long bytes)
    {
        End();
        inline.Release(exchanges.Buffers);
        place = Place.Command;
        isLost = true;
        exchanges.MissRequests(bytes);
    }
}
