using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>How far something was read.</summary>
internal enum RespProgress
{
    /// <summary>The bytes ended before it did.</summary>
    More,

    /// <summary>It is complete.</summary>
    Done,

    /// <summary>It is not what it should be.</summary>
    Bad,
}

/// <summary>
/// The number of a header line, such as the <c>3</c> CR LF of <c>*3</c> (https://redis.io/docs/latest/develop/reference/protocol-spec),
/// read from bytes that may be cut anywhere.
/// </summary>
internal struct RespNumber
{
    // More digits are no length of anything, and would overflow.
    private const int MaxDigits = 15;

    private long value;
    private byte digits;
    private bool isNegative, hasReturn;

    /// <summary>The number, once it is complete.</summary>
    public readonly long Value => isNegative ? -value : value;

    /// <summary>Nothing of it was read yet.</summary>
    public readonly bool IsEmpty => digits == 0 && !isNegative;

    /// <summary>Reads on. What belongs to the line is consumed.</summary>
    public RespProgress Read(scoped ref Segment segment)
    {
        var data = segment.Data;
        for (var i = 0; i < data.Length; i++)
        {
            var b = data[i];
            if (hasReturn)
            {
                segment.Skip(i + 1);
                return b == '\n' ? RespProgress.Done : RespProgress.Bad;
            }

            if (b is >= (byte)'0' and <= (byte)'9' && digits < MaxDigits)
            {
                value = (value * 10) + b - '0';
                digits++;
            }
            else if (b == '-' && digits == 0 && !isNegative)
            {
                isNegative = true;
            }
            else if (b == '\r' && digits > 0)
            {
                hasReturn = true;
            }
            else
            {
                return RespProgress.Bad;
            }
        }

        segment.Skip(data.Length);
        return RespProgress.More;
    }
}
