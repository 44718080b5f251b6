using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// Follows the body of one message to its end: by length, by chunks, or until the connection is closed (RFC 9112 sections 6.3 and 7.1).
/// It knows how many bytes have passed; it never decides which of these three holds, that is <see cref="HttpMessageReader"/>'s matter.
/// </summary>
internal struct HttpBodyReader
{
    private ChunkReader chunks;
    private long remaining, payload, raw;
    private bool isBegun;

    /// <summary>
    /// Bytes so far: without chunk framing as long as that could be followed; -1 when it is not known where the body began.
    /// </summary>
    public readonly long Length => !isBegun ? -1 : IsFramed ? payload : raw;

    /// <summary>Whether bytes of it were seen or passed.</summary>
    public readonly bool HasBytes => raw > 0;

    /// <summary>Whether its end can be told: by its length, or by chunks all of whose sizes were seen.</summary>
    public bool IsFramed { get; private set; }

    /// <summary>The head is complete, the body begins.</summary>
    /// <param name="phase">How its end is found.</param>
    /// <param name="length">Its bytes, in <see cref="HttpPhase.Length"/>.</param>
    public void Begin(HttpPhase phase, long length)
    {
        remaining = length;
        isBegun = true;
        IsFramed = phase is HttpPhase.Length or HttpPhase.Chunked;
    }

    /// <summary>Consumes bytes of the body.</summary>
    /// <param name="phase">How its end is found.</param>
    /// <param name="segment">The bytes; what is left belongs to the next message.</param>
    /// <returns>Whether it is complete.</returns>
    public bool Read(HttpPhase phase, ref Segment segment)
    {
        var before = segment.Left;
        var ended = false;
        switch (phase)
        {
            case HttpPhase.Length:
                var take = Math.Min(remaining, before);
                segment.Skip(take);
                payload += take;
                remaining -= take;
                ended = remaining == 0;
                break;
            case HttpPhase.Chunked:
                ended = ReadChunks(ref segment);
                break;
            default:
                segment.SkipAll();
                break;
        }

        raw += before - segment.Left;
        return ended;
    }

    /// <summary>Bytes that were taken for a start line were part of it after all.</summary>
    public void AddRaw(long count) => raw += count;

    /// <summary>Its end can no longer be told.</summary>
    public void Lose() => IsFramed = false;

    private bool ReadChunks(ref Segment segment)
    {
        // Once chunk sizes went by unseen, only the last chunk at the end of an operation can still be recognised.
        if (IsFramed)
        {
            var whole = segment;
            switch (chunks.Read(ref segment, ref payload))
            {
                case ChunkResult.End:
                    return true;
                case ChunkResult.More:
                    return false;
                default:
                    IsFramed = false;
                    segment = whole;
                    break;
            }
        }

        var ended = !segment.IsGap
            && (segment.EndsWith("\r\n0\r\n\r\n"u8) || (segment.Unseen == 0 && segment.Data.SequenceEqual("0\r\n\r\n"u8)));
        segment.SkipAll();
        return ended;
    }
}
