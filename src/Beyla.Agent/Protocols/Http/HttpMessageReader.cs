using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>Where one direction stands.</summary>
internal enum HttpPhase : byte
{
    /// <summary>Before or in a start line.</summary>
    Start = 0,
    Head,

    /// <summary>In a body of known length.</summary>
    Length,
    Chunked,

    /// <summary>In a body that ends with the connection.</summary>
    UntilClose,

    /// <summary>In bytes whose end cannot be told: until an operation that begins like a message.</summary>
    Lost,
}

/// <summary>The state of one direction: the line that is being gathered, the fields, and how much of the body has passed.</summary>
internal struct HttpMessageReader
{
    public HttpPhase Phase;
    public HttpLineReader Line;
    public HttpFields Fields;

    /// <summary>This start line is only guessed to be one, since the message before it did not visibly end.</summary>
    public bool IsGuess;

    /// <summary>The body may have been left out, since the client was told that it is not wanted: what comes first decides.</summary>
    public bool MaySkipBody;
    private ChunkReader chunks;
    private long remaining, payload, raw;
    private bool headEnded, framed;

    /// <summary>Body bytes so far: without chunk framing as long as that could be followed; -1 when it is not known where the body began.</summary>
    public readonly long BodyLength => !headEnded ? -1 : framed ? payload : raw;

    /// <summary>Whether bytes of the body were seen.</summary>
    public readonly bool HasBody => raw > 0;

    /// <summary>Whether the end of the message can no longer be told by its framing.</summary>
    public readonly bool IsLost => Phase == HttpPhase.Lost || (Phase == HttpPhase.Chunked && !framed);

    /// <summary>Begins to follow a body after its head.</summary>
    public void BeginBody(HttpPhase phase, long length = 0)
    {
        Phase = phase;
        remaining = length;
        headEnded = true;
        framed = phase is HttpPhase.Length or HttpPhase.Chunked;
    }

    /// <summary>Consumes body bytes.</summary>
    /// <returns>Whether the body is complete; what is left in the segment then belongs to the next message.</returns>
    public bool ReadBody(ref Segment segment)
    {
        var before = segment.Left;
        var ended = false;
        switch (Phase)
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

    /// <summary>Bytes that were taken for a start line were part of a body after all.</summary>
    public void AddRaw(long count) => raw += count;

    /// <summary>The message can no longer be followed.</summary>
    public void Lose()
    {
        Phase = HttpPhase.Lost;
        framed = false;
        IsGuess = false;
    }

    /// <summary>Ready for the next message; a rented buffer stays for it.</summary>
    public void Next()
    {
        var line = Line;
        this = default;
        Line = line;
    }

    private bool ReadChunks(ref Segment segment)
    {
        // Once chunk sizes went by unseen, only the last chunk at the end of an operation can still be recognised.
        if (framed)
        {
            var whole = segment;
            switch (chunks.Read(ref segment, ref payload))
            {
                case ChunkResult.End:
                    return true;
                case ChunkResult.More:
                    return false;
                default:
                    framed = false;
                    segment = whole;
                    break;
            }
        }

        var ended = !segment.IsGap && (segment.EndsWith("\r\n0\r\n\r\n"u8) || (segment.Unseen == 0 && segment.Data.SequenceEqual("0\r\n\r\n"u8)));
        segment.SkipAll();
        return ended;
    }
}
