using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>What a <see cref="ChunkReader"/> found.</summary>
internal enum ChunkResult : byte
{
    /// <summary>The segment is used up and the body goes on.</summary>
    More = 0,

    /// <summary>The body is complete.</summary>
    End,

    /// <summary>A chunk's size was not visible or is no number: the chunks can no longer be followed.</summary>
    Lost,
}

/// <summary>Follows the chunked coding (RFC 9112 section 7.1). Data of a chunk need not be visible; sizes and trailers must be.</summary>
internal struct ChunkReader
{
    /// <summary>Digits of a size after its leading zeros; one more, and it would not fit into the 63 bits of a length.</summary>
    private const int MaxDigits = 15;

    private Part part;
    private byte digits;
    private bool sized;
    private long size;

    private enum Part : byte
    {
        Size = 0, Extension, Data, DataEnd, Trailer, TrailerLine,
    }

    /// <summary>Goes on in the body.</summary>
    /// <param name="segment">What is understood is consumed.</param>
    /// <param name="payload">Grows by the bytes of data, without sizes, extensions and trailers.</param>
    public ChunkResult Read(ref Segment segment, ref long payload)
    {
        while (segment.Left > 0)
        {
            if (part == Part.Data)
            {
                payload += SkipData(ref segment);
            }
            else if (segment.Data.IsEmpty)
            {
                return ChunkResult.Lost;
            }
            else if (part is Part.Extension or Part.TrailerLine)
            {
                SkipLine(ref segment);
            }
            else
            {
                var b = segment.Data[0];
                segment.Skip(1);
                var result = Take(b);
                if (result != ChunkResult.More)
                {
                    return result;
                }
            }
        }

        return ChunkResult.More;
    }

    private long SkipData(ref Segment segment)
    {
        var take = Math.Min(size, segment.Left);
        segment.Skip(take);
        size -= take;
        part = size == 0 ? Part.DataEnd : Part.Data;
        return take;
    }

    private void SkipLine(ref Segment segment)
    {
        var end = segment.Data.IndexOf((byte)'\n');
        segment.Skip(end < 0 ? segment.Data.Length : end + 1);
        if (end >= 0)
        {
            part = part == Part.TrailerLine ? Part.Trailer : AfterSize();
        }
    }

    /// <summary>Takes a byte that decides something: of a size, of the end of a chunk, or the first of a trailer.</summary>
    private ChunkResult Take(byte b)
    {
        switch (part)
        {
            case Part.Size when HexDigit(b) is >= 0 and var digit && digits < MaxDigits:
                size = (size << 4) | (uint)digit;
                digits += size == 0 ? (byte)0 : (byte)1;
                sized = true;
                break;
            case Part.Size when sized && b == '\n':
                part = AfterSize();
                break;
            case Part.Size when sized && b is (byte)';' or (byte)'\r' or (byte)' ' or (byte)'\t':
                part = Part.Extension;
                break;
            case Part.DataEnd when b == '\n':
                part = Part.Size;
                break;
            case Part.DataEnd or Part.Trailer when b == '\r':
                break;
            case Part.Trailer when b == '\n':
                return ChunkResult.End;
            case Part.Trailer:
                part = Part.TrailerLine;
                break;
            default:
                return ChunkResult.Lost;
        }

        return ChunkResult.More;
    }

    private Part AfterSize()
    {
        digits = 0;
        sized = false;
        return size == 0 ? Part.Trailer : Part.Data;
    }

    private static int HexDigit(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        _ => -1,
    };
}
