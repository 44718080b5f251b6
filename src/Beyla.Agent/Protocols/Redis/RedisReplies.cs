using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Finds the responses in their stream of values. An aggregate is not kept, only how many values are missing, so any depth costs the same.
/// When bytes are missing that hold lengths, the end of the response cannot be told: all is passed over until the next command.
/// </summary>
internal sealed class RedisReplies
{
    private RedisResponses responses = null!;
    private RespReader value;
    private RespPeek text;
    private byte top;
    private long elements, index, missing, attributes, third;
    private bool isHead;

    /// <summary>Nothing of a response has been read of which the end is missing.</summary>
    public bool IsBetween => !IsLost && top == 0 && value.IsBetween && attributes == 0;

    /// <summary>Where responses end cannot be told.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Bytes that were passed over since then end as a response would.</summary>
    public bool EndsWithLine { get; private set; }

    /// <summary>Ready for a connection, between two responses.</summary>
    public void Begin(RedisResponses responses)
    {
        this.responses = responses;
        Restart();
    }

    /// <summary>A response begins with the next byte.</summary>
    public void Restart()
    {
        value.Restart();
        top = 0;
        attributes = 0;
        IsLost = EndsWithLine = false;
    }

    /// <summary>Reads all of a segment.</summary>
    public void Read(ref Segment segment)
    {
        while (segment.Left > 0)
        {
            if (IsLost)
            {
                EndsWithLine = segment.EndsWith("\r\n"u8);
                segment.SkipAll();
                break;
            }

            var isFirst = IsBetween;
            switch (value.Read(ref segment))
            {
                case RespProgress.Bad:
                    IsLost = true;
                    responses.LoseReplies(isOther: !segment.Data.IsEmpty);
                    break;
                case RespProgress.Done:
                    EndValue(segment.Time);
                    break;
                case RespProgress.More when isFirst && value.Type != '|':
                    responses.BeginReply(value.Type, segment.Time);
                    break;
                default:
                    break;
            }

            if (responses.IsOver)
            {
                segment.SkipAll();
            }
        }

        if (!IsBetween)
        {
            responses.See(segment.Time);
        }
    }

    /// <summary>Bytes passed without an event.</summary>
    /// <param name="from">Sequence number of the first.</param>
    /// <param name="until">Sequence number after the last.</param>
    public void Miss(uint from, uint until)
    {
        if (!IsLost && value.TryPass(until - from))
        {
            return;
        }

        if (responses.TryMiss(until, IsBetween))
        {
            Restart();
        }
        else
        {
            IsLost = true;
            EndsWithLine = false;
            responses.LoseReplies(isOther: false);
        }
    }

    /// <summary>A value, or the head of one with more values in it, is complete.</summary>
    private void EndValue(long time)
    {
        var inside = value.Inside;
        if (value.Type == '|')
        {
            attributes += inside;
        }
        else if (attributes > 0)
        {
            attributes += inside - 1;
        }
        else if (top == 0)
        {
            BeginReply(inside, time);
        }
        else
        {
            AddElement(inside, time);
        }
    }

    private void BeginReply(long inside, long time)
    {
        top = value.Type;
        index = third = 0;
        missing = 1;
        isHead = true;
        text = value.Peek;
        elements = top is (byte)'*' or (byte)'~' or (byte)'>' or (byte)'%' && !value.IsNull ? inside : -1;
        responses.BeginElements(top == '*' ? elements : -1);
        if (inside == 0)
        {
            EndReply(value.IsNull || top == '_', time);
        }
    }

    private void AddElement(long inside, long time)
    {
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
        responses.EndElement();
        if (++index == elements)
        {
            EndReply(isNull: false, time);
        }
    }

    private void LookAtElement(long inside)
    {
        if (index == 0)
        {
            text = inside > 0 ? default : value.Peek;
        }
        else if (index == 2 && value.Type == ':')
        {
            third = Number(value.Peek.All);
        }

        if (value.Type is (byte)'-' or (byte)'!')
        {
            responses.SetElementError(value.Peek.Word);
        }
    }

    private void EndReply(bool isNull, long time)
    {
        var reply = new RedisReply { Type = top, Elements = elements, IsNull = isNull, Text = text.Word, Third = third };
        top = 0;
        responses.EndReply(in reply, time);
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
