using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Reads responses from their stream: RESP2 and RESP3. An aggregate is not kept, only how many values are missing, so any depth costs the
/// same. When bytes are missing that hold lengths, the end of the response cannot be told: all is passed over until the next command.
/// </summary>
internal sealed class RedisReplies
{
    private const long MaxBulk = 1L << 40;

    private RedisExchanges exchanges = null!;
    private RespNumber number;
    private RespPeek text, peek;
    private Place place;
    private byte type, top, before;
    private long left, elements, index, missing, attributes, third;
    private bool isNull, isStreamed, hasReturn, isHead;

    private enum Place : byte
    {
        Type,
        Number,
        Line,
        Bytes,
        End,
    }

    /// <summary>Nothing of a response has been read of which the end is missing.</summary>
    public bool IsBetween => !IsLost && top == 0 && place == Place.Type && attributes == 0;

    /// <summary>Where responses end cannot be told.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Bytes that were passed over since then end as a response would.</summary>
    public bool EndsWithLine { get; private set; }

    /// <summary>Ready for a connection, between two responses.</summary>
    public void Begin(RedisExchanges exchanges)
    {
        this.exchanges = exchanges;
        Restart();
    }

    /// <summary>A response begins with the next byte.</summary>
    public void Restart()
    {
        place = Place.Type;
        top = 0;
        attributes = 0;
        isStreamed = IsLost = EndsWithLine = false;
    }

    /// <summary>Reads all of a segment.</summary>
    public void Read(ref Segment segment)
    {
        while (segment.Left > 0)
        {
            if (IsLost)
            {
                PassOver(ref segment);
            }
            else if (place == Place.Bytes && left > 0 && segment.Data.IsEmpty)
            {
                var count = Math.Min(left, segment.Unseen);
                segment.Skip(count);
                PassBytes(count);
            }
            else if (segment.Data.IsEmpty && place == Place.End)
            {
                // The end of a long value is not captured, as the value is not.
                PassEnd(ref segment);
            }
            else if (segment.Data.IsEmpty || Step(ref segment) == RespProgress.Bad)
            {
                IsLost = true;
                exchanges.LoseReplies(isOther: !segment.Data.IsEmpty);
            }

            if (exchanges.IsOver)
            {
                segment.SkipAll();
            }
        }

        if (!IsBetween)
        {
            exchanges.See(segment.Time);
        }
    }

    /// <summary>Bytes passed without an event.</summary>
    /// <param name="from">Sequence number of the first.</param>
    /// <param name="until">Sequence number after the last.</param>
    public void Miss(uint from, uint until)
    {
        var count = until - from;
        if (place == Place.Bytes && left >= count && !IsLost)
        {
            PassBytes(count);
        }
        else if (exchanges.TryMiss(until, IsBetween))
        {
            Restart();
        }
        else
        {
            IsLost = true;
            EndsWithLine = false;
            exchanges.LoseReplies(isOther: false);
        }
    }

    private void PassBytes(long count)
    {
        left -= count;
        hasReturn = false;
        place = left == 0 ? Place.End : place;
    }

    private void PassOver(ref Segment segment)
    {
        EndsWithLine = segment.EndsWith("\r\n"u8);
        segment.SkipAll();
    }

    private RespProgress Step(ref Segment segment)
    {
        switch (place)
        {
            case Place.Type:
                return ReadType(ref segment);
            case Place.Number:
                return ReadNumber(ref segment);
            case Place.Line:
                ReadLine(ref segment);
                return RespProgress.More;
            case Place.Bytes:
                var count = (int)Math.Min(left, segment.Data.Length);
                peek.Append(segment.Data[..count]);
                segment.Skip(count);
                PassBytes(count);
                return RespProgress.More;
            default:
                return ReadEnd(ref segment);
        }
    }

    private RespProgress ReadType(ref Segment segment)
    {
        type = segment.Data[0];
        switch (type)
        {
            case (byte)'+' or (byte)'-' or (byte)':' or (byte)'_' or (byte)',' or (byte)'#' or (byte)'(' when !isStreamed:
                place = Place.Line;
                break;
            case (byte)'$' or (byte)'!' or (byte)'=' or (byte)'*' or (byte)'~' or (byte)'>' or (byte)'%' or (byte)'|' when !isStreamed:
            case (byte)';' when isStreamed:
                place = Place.Number;
                number = default;
                break;
            default:
                return RespProgress.Bad;
        }

        peek.Clear();
        before = 0;
        isNull = false;
        if (top == 0 && attributes == 0 && type is not ((byte)'|' or (byte)';'))
        {
            exchanges.BeginReply(type, segment.Time);
        }

        segment.Skip(1);
        return RespProgress.More;
    }

    private RespProgress ReadNumber(ref Segment segment)
    {
        if (type == '$' && number.IsEmpty && segment.Data[0] == '?')
        {
            // A string in pieces of unknown number: the rest of this line, then ";length" lines until one is 0.
            segment.Skip(1);
            isStreamed = true;
            place = Place.End;
            hasReturn = false;
            return RespProgress.More;
        }

        var progress = number.Read(ref segment);
        if (progress != RespProgress.Done)
        {
            return progress;
        }

        var value = number.Value;
        isNull = value == -1 && type is (byte)'$' or (byte)'*';
        if (value < 0 && !isNull)
        {
            return RespProgress.Bad;
        }

        switch (type)
        {
            case (byte)'$' or (byte)'!' or (byte)'=' or (byte)';' when !isNull:
                if (value > MaxBulk)
                {
                    return RespProgress.Bad;
                }

                left = value;
                place = left > 0 ? Place.Bytes : Place.End;
                hasReturn = false;
                if (type == ';' && value == 0)
                {
                    isStreamed = false;
                    type = (byte)'$';
                    EndValue(0, segment.Time);
                }

                return RespProgress.More;
            case (byte)'*' or (byte)'~' or (byte)'>' or (byte)'%' or (byte)'|' when value > int.MaxValue:
                return RespProgress.Bad;
            case (byte)'|':
                attributes += 2 * value;
                place = Place.Type;
                return RespProgress.More;
            default:
                EndValue(isNull ? 0 : type == '%' ? 2 * value : value, segment.Time);
                return RespProgress.More;
        }
    }

    private void ReadLine(ref Segment segment)
    {
        var data = segment.Data;
        var end = data.IndexOf((byte)'\n');
        if (end < 0)
        {
            peek.Append(data);
            before = data[^1];
            segment.Skip(data.Length);
            return;
        }

        var isEnd = (end > 0 ? data[end - 1] : before) == '\r';
        peek.Append(data[..end]);
        before = (byte)'\n';
        segment.Skip(end + 1);
        if (isEnd)
        {
            EndValue(0, segment.Time);
        }
    }

    private RespProgress ReadEnd(ref Segment segment)
    {
        if (segment.Data[0] != (hasReturn ? '\n' : '\r'))
        {
            return RespProgress.Bad;
        }

        PassEnd(ref segment);
        return RespProgress.More;
    }

    private void PassEnd(ref Segment segment)
    {
        segment.Skip(1);
        if (!hasReturn)
        {
            hasReturn = true;
        }
        else if (isStreamed)
        {
            place = Place.Type;
        }
        else
        {
            EndValue(0, segment.Time);
        }
    }

    /// <summary>A value, or the head of one with more values in it, is complete.</summary>
    private void EndValue(long inside, long time)
    {
        place = Place.Type;
        if (attributes > 0)
        {
            attributes += inside - 1;
            return;
        }

        if (top == 0)
        {
            top = type;
            index = third = 0;
            missing = 1;
            isHead = true;
            text = peek;
            elements = type is (byte)'*' or (byte)'~' or (byte)'>' or (byte)'%' && !isNull ? inside : -1;
            exchanges.BeginElements(top == '*' ? elements : -1);
            if (inside == 0)
            {
                EndReply(time);
            }

            return;
        }

        if (isHead)
        {
            LookAtElement(inside);
            isHead = false;
        }

        missing += inside - 1;
        if (missing > 0)
        {
            return;
        }

        missing = 1;
        isHead = true;
        exchanges.EndElement();
        if (++index == elements)
        {
            isNull = false;
            EndReply(time);
        }
    }

    private void LookAtElement(long inside)
    {
        if (index == 0)
        {
            text = inside > 0 ? default : peek;
        }
        else if (index == 2 && type == ':')
        {
            third = Number(peek.All);
        }

        if (type is (byte)'-' or (byte)'!')
        {
            exchanges.SetElementError(peek.Word);
        }
    }

    private void EndReply(long time)
    {
        var reply = new RedisReply
        {
            Type = top, Elements = elements, IsNull = isNull || top == '_', Text = text.Word, Third = third,
        };
        top = 0;
        exchanges.EndReply(in reply, time);
    }

    private static long Number(scoped ReadOnlySpan<byte> text)
    {
        var value = 0L;
        foreach (var b in text)
        {
            if (b is < (byte)'0' or > (byte)'9' || value > int.MaxValue)
            {
                break;
            }

            value = (value * 10) + b - '0';
        }

        return value;
    }
}
