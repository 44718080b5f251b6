using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// Guesses where a request begins when framing does not tell: after bytes that could not be followed, and after a body that the client
/// may have left out. It also counts what passed beyond the capture limit and may have held requests. It never decides where a message
/// ends that can be followed, and opens no exchange.
/// </summary>
internal struct HttpRequestGuess
{
    private int begunHere;
    private bool isCounted;

    /// <summary>
    /// The body may have been left out, since the client was told that it is not wanted (RFC 9110 section 10.1.1): what comes first
    /// decides.
    /// </summary>
    public bool MaySkipBody { get; set; }

    /// <summary>Whether an operation begins like a request, which then is one if the request before it did not visibly end.</summary>
    public static bool IsBeginning(in Segment segment)
    {
        var data = segment.Data.TrimStart("\r\n"u8);
        var end = data.IndexOf((byte)'\n');
        return end > 0
            ? HttpStartLine.TryParseRequest(data[..end].TrimEnd((byte)'\r'), false, out _, out _, out _)
            : HttpStartLine.MayBeRequest(data);
    }

    /// <summary>
    /// Where <see cref="MaySkipBody"/>: the client goes on with the body or, without it, with the next request. A whole request line
    /// decides for that; while one may be on its way both are followed.
    /// </summary>
    /// <param name="segment">The request line is consumed when there is one, else nothing.</param>
    /// <param name="line">The line that is being gathered beside the body.</param>
    /// <param name="pool">Where its buffer comes from.</param>
    /// <param name="method">Of the request.</param>
    /// <param name="target">Of the request.</param>
    /// <param name="minor">Minor version of the request.</param>
    /// <returns>Whether a request has begun.</returns>
    public bool TrySkipBody(
        ref Segment segment, ref HttpLineReader line, BufferPool pool,
        out ReadOnlySpan<byte> method, out ReadOnlySpan<byte> target, out byte minor)
    {
        var ahead = segment;
        if (line.IsEmpty)
        {
            ahead.Skip(Math.Max(0, ahead.Data.IndexOfAnyExcept("\r\n"u8)));
        }

        var whole = line.TryRead(ref ahead, pool, out var text, out var cut);
        if (whole && HttpStartLine.TryParseRequest(text, cut, out method, out target, out minor))
        {
            segment = ahead;
            MaySkipBody = false;
            return true;
        }

        MaySkipBody = whole ? text.IsEmpty : ahead.Left == 0 && HttpStartLine.MayBeRequest(text);
        if (!MaySkipBody)
        {
            line.Release(pool);
        }

        method = target = default;
        minor = 0;
        return false;
    }

    /// <summary>An operation begins.</summary>
    public void BeginOperation(bool isGap)
    {
        begunHere = 0;
        isCounted = isGap;
    }

    /// <summary>A request line was seen in the operation.</summary>
    public void Count() => begunHere++;

    /// <summary>
    /// Where no captured bytes are left: how many bytes of the operation passed unseen in which requests may begin, since requests were
    /// sent together. Each operation is counted once; 0 when that was done or there are none.
    /// </summary>
    public long TakeUnseen(in Segment segment, HttpPhase phase)
    {
        if (isCounted || begunHere <= 1 || phase is not (HttpPhase.Head or HttpPhase.Lost))
        {
            return 0;
        }

        isCounted = true;
        return segment.Left;
    }
}
