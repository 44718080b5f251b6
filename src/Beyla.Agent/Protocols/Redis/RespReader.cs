using System.Diagnostics.CodeAnalysis;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Reads the values of RESP2 and RESP3 one after the other (https://redis.io/docs/latest/develop/reference/protocol-spec): a line, a string
/// with its length, or the head of an aggregate, whose elements are values of their own. Strings are passed over by their length, seen or
/// not.
/// </summary>
internal struct RespReader
{
    private const long MaxBulk = 1L << 40;

    private RespNumber number;
    private RespPeek peek;
    private Place place;
    private byte before;
    private long left;
    private bool isStreamed, hasReturn;

    private enum Place : byte
    {
        Type,
        Number,
        Line,
        Bytes,
        End,
    }

    /// <summary>First byte of the value.</summary>
    public byte Type { get; private set; }

    /// <summary>Of the head of an aggregate: values that follow and belong to it, twice the pairs of a map.</summary>
    public long Inside { get; private set; }

    /// <summary>It is null, as RESP2 writes that.</summary>
    public bool IsNull { get; private set; }

    /// <summary>The first bytes of it.</summary>
    [UnscopedRef]
    public readonly ref readonly RespPeek Peek => ref peek;

    /// <summary>Nothing of a value has been read of which the end is missing.</summary>
    public readonly bool IsBetween => place == Place.Type && !isStreamed;

    /// <summary>A value begins with the next byte.</summary>
    public void Restart()
    {
        place = Place.Type;
        isStreamed = false;
    }

    /// <summary>Passes over bytes of a string that no event showed.</summary>
    /// <returns>Whether all of them are in it.</returns>
    public bool TryPass(long count)
    {
        if (place != Place.Bytes || left < count)
        {
            return false;
        }

        PassBytes(count);
        return true;
    }

    /// <summary>Reads on.</summary>
    /// <param name="segment">What is read is consumed, at least one byte unless it is bad.</param>
    /// <returns><see cref="RespProgress.Done"/>: a value, or the head of an aggregate, is complete.</returns>
    public RespProgress Read(scoped ref Segment segment)
    {
        if (segment.Data.IsEmpty)
        {
            return PassUnseen(ref segment);
        }

        switch (place)
        {
            case Place.Type:
                return ReadType(ref segment);
            case Place.Number:
                return ReadNumber(ref segment);
            case Place.Line:
                return ReadLine(ref segment);
            case Place.Bytes:
                var count = (int)Math.Min(left, segment.Data.Length);
                peek.Append(segment.Data[..count]);
                segment.Skip(count);
                PassBytes(count);
                return RespProgress.More;
            default:
                return segment.Data[0] == (hasReturn ? '\n' : '\r') ? PassEnd(ref segment) : RespProgress.Bad;
        }
    }

    private void PassBytes(long count)
    {
        left -= count;
        hasReturn = false;
        place = left == 0 ? Place.End : place;
    }

    private RespProgress PassUnseen(scoped ref Segment segment)
    {
        switch (place)
        {
            case Place.Bytes:
                var count = Math.Min(left, segment.Unseen);
                segment.Skip(count);
                PassBytes(count);
                return RespProgress.More;
            case Place.End:
                // The end of a long value is not captured, as the value is not.
                return PassEnd(ref segment);
            default:
                return RespProgress.Bad;
        }
    }

    private RespProgress ReadType(scoped ref Segment segment)
    {
        Type = segment.Data[0];
        switch (Type)
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
        Inside = 0;
        IsNull = false;
        segment.Skip(1);
        return RespProgress.More;
    }

    private RespProgress ReadNumber(scoped ref Segment segment)
    {
        if (Type == '$' && number.IsEmpty && segment.Data[0] == '?')
        {
            // A string in pieces of unknown number: the rest of this line, then ";length" lines until one is 0.
            segment.Skip(1);
            isStreamed = true;
            place = Place.End;
            hasReturn = false;
            return RespProgress.More;
        }

        var progress = number.Read(ref segment);
        return progress == RespProgress.Done ? TakeNumber(number.Value) : progress;
    }

    private RespProgress TakeNumber(long value)
    {
        IsNull = value == -1 && Type is (byte)'$' or (byte)'*';
        if (value < 0 && !IsNull)
        {
            return RespProgress.Bad;
        }

        switch (Type)
        {
            case (byte)';' when value == 0:
                isStreamed = false;
                Type = (byte)'$';
                return End();
            case (byte)'$' or (byte)'!' or (byte)'=' or (byte)';' when !IsNull:
                left = value;
                place = left > 0 ? Place.Bytes : Place.End;
                hasReturn = false;
                return value > MaxBulk ? RespProgress.Bad : RespProgress.More;
            case (byte)'*' or (byte)'~' or (byte)'>' or (byte)'%' or (byte)'|' when value > int.MaxValue:
                return RespProgress.Bad;
            default:
                Inside = IsNull ? 0 : Type is (byte)'%' or (byte)'|' ? 2 * value : value;
                return End();
        }
    }

    private RespProgress ReadLine(scoped ref Segment segment)
    {
        var data = segment.Data;
        var end = data.IndexOf((byte)'\n');
        if (end < 0)
        {
            peek.Append(data);
            before = data[^1];
            segment.Skip(data.Length);
            return RespProgress.More;
        }

        var isEnd = (end > 0 ? data[end - 1] : before) == '\r';
        peek.Append(data[..end]);
        before = (byte)'\n';
        segment.Skip(end + 1);
        return isEnd ? End() : RespProgress.More;
    }

    private RespProgress PassEnd(scoped ref Segment segment)
    {
        segment.Skip(1);
        if (!hasReturn)
        {
            hasReturn = true;
            return RespProgress.More;
        }

        if (!isStreamed)
        {
            return End();
        }

        place = Place.Type;
        return RespProgress.More;
    }

    private RespProgress End()
    {
        place = Place.Type;
        return RespProgress.Done;
    }
}
