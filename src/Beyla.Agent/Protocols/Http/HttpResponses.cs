using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// The direction of the answers: takes tokens from the framing, tells the exchanges what they mean, and asks the guess where the end of
/// an answer is not visible.
/// </summary>
internal sealed class HttpResponses(BufferPool buffers, HttpExchanges exchanges, HttpRequests requests)
{
    private HttpMessageReader reader;
    private HttpResponseGuess guess;

    /// <summary>Status of the head that is being read, 0 when it cannot be read; interim ones never reach the exchange.</summary>
    private int status;

    /// <summary>Ready for a connection.</summary>
    public void Begin()
    {
        reader = default;
        guess = default;
    }

    /// <summary>Gives the buffers back.</summary>
    public void Release() => reader.Line.Release(buffers);

    /// <summary>The next bytes, or a gap that lies within one answer.</summary>
    /// <param name="segment">Consumed as long as a request waits for an answer: others answer what was not seen.</param>
    public void Read(ref Segment segment)
    {
        var begun = exchanges.First;
        if (begun is not null && !segment.IsGap && (reader.IsLost || reader.Phase == HttpPhase.UntilClose))
        {
            guess.Try(in segment, ref reader, begun);
        }

        while (segment.Left > 0 && exchanges.First is { } exchange && (!segment.IsGap || exchange == begun))
        {
            if (segment.IsGap)
            {
                exchange.HasGap = true;
            }
            else
            {
                exchange.LastSeen = segment.Time;
                exchange.HasGap &= reader.Phase is not (HttpPhase.Length or HttpPhase.UntilClose);
            }

            if (!reader.IsBetween || guess.IsTried || !TryReadWhole(ref segment, exchange))
            {
                ReadToken(ref segment, exchange);
            }
        }
    }

    /// <summary>
    /// Bytes of the answers that no event showed. What lies before the boundary of the next request belongs to the answer before.
    /// </summary>
    /// <param name="from">Sequence number of the first one.</param>
    /// <param name="to">Sequence number after the last one.</param>
    /// <param name="time">When this became known; CLOCK_MONOTONIC in nanoseconds.</param>
    public void Miss(uint from, uint to, long time)
    {
        while (from != to && exchanges.First is { } exchange)
        {
            var end = to;
            var isSettled = false;
            if (exchange.Following is { } next && (int)(next.Boundary - from) > 0 && (int)(to - next.Boundary) >= 0)
            {
                end = next.Boundary;
                isSettled = true;
            }

            var gap = new Segment { IsGap = true, Unseen = end - from, Time = time };
            Read(ref gap);
            if (isSettled && exchanges.First == exchange)
            {
                Finish(SpanOutcome.Unfinished, 0);
            }

            from = isSettled ? end : end - (uint)gap.Left;
        }
    }

    /// <summary>No more answers can come.</summary>
    /// <param name="time">When; CLOCK_MONOTONIC in nanoseconds.</param>
    public void End(long time)
    {
        while (exchanges.First is { } exchange)
        {
            var outcome = reader.Phase switch
            {
                HttpPhase.UntilClose => exchange.HasGap || exchange.IsUnreadable ? SpanOutcome.Unfinished : SpanOutcome.Complete,
                HttpPhase.Length => SpanOutcome.Closed,
                _ => exchange.HasGap || guess.IsTried || (reader.IsLost && exchange.Status != 0)
                    ? SpanOutcome.Unfinished : SpanOutcome.Closed,
            };
            Finish(outcome, outcome == SpanOutcome.Closed ? time : 0);
        }
    }

    /// <summary>The end of the connection was missed: what is open ends with what was seen of it.</summary>
    public void EndUnseen()
    {
        while (exchanges.First is { } exchange)
        {
            Finish(SpanOutcome.Unfinished, exchange.LastSeen);
        }
    }

    /// <summary>The short way of a head that is whole in the segment and has a status; else nothing is done.</summary>
    private bool TryReadWhole(ref Segment segment, HttpExchange exchange)
    {
        if (!HttpWholeHead.TryRead(segment.Data, out var head) || !HttpStartLine.TryParseStatus(head.StartLine, out var code))
        {
            return false;
        }

        segment.Skip(head.Length);
        reader.Fields = head.Fields;
        OnStatus(code, exchange);
        OnHeadEnd(ref segment, exchange);
        return true;
    }

    private void ReadToken(ref Segment segment, HttpExchange exchange)
    {
        var before = segment.Left;
        var token = reader.Read(ref segment, buffers, out var text);
        if (guess.IsTried)
        {
            guess.Take(before - segment.Left);
        }

        switch (token)
        {
            case HttpToken.PartOfStartLine when !HttpStartLine.MayBeResponse(text):
                LoseStartLine(exchange);
                break;
            case HttpToken.StartLine or HttpToken.LongStartLine:
                OnStatusLine(text, exchange, segment.Time);
                break;
            case HttpToken.CutStartLine:
                exchange.HasGap = true;
                guess.GiveUp(ref reader, buffers);
                break;
            case HttpToken.HeadEnd:
                OnHeadEnd(ref segment, exchange);
                break;
            case HttpToken.HeadCut:
                guess.GiveUp(ref reader, buffers);
                break;
            case HttpToken.BodyEnd:
                Complete(in segment, exchange);
                break;
            default:
                break;
        }
    }

    private void OnStatusLine(ReadOnlySpan<byte> line, HttpExchange exchange, long time)
    {
        if (!HttpStartLine.TryParseStatus(line, out status))
        {
            if (guess.IsTried || !HttpStartLine.MayBeResponse(line))
            {
                LoseStartLine(exchange);
                return;
            }

            status = 0;
            exchanges.AnswerUnreadably();
            reader.Phase = HttpPhase.Head;
            return;
        }

        if (guess.IsTried && (exchange.Status != 0 || ((exchange.HasGap || exchange.IsUnreadable) && exchange.Following is not null)))
        {
            exchange.LastSeen = guess.SeenBefore;
            Finish(SpanOutcome.Unfinished, 0);
            exchange = exchanges.First!;
            exchange.LastSeen = time;
        }

        OnStatus(status, exchange);
    }

    private void OnStatus(int code, HttpExchange exchange)
    {
        status = code;
        guess.Settle();
        reader.Phase = HttpPhase.Head;
        if (exchanges.Answer(status))
        {
            requests.Answer(exchange);
        }
    }

    private void OnHeadEnd(ref Segment segment, HttpExchange exchange)
    {
        if (status == 101 || (exchange.IsConnect && status is >= 200 and < 300))
        {
            _ = reader.BeginResponseBody(hasBody: false);
            Upgrade(segment.Time);
            segment.SkipAll();
        }
        else if (status < 200 && !exchange.IsUnreadable)
        {
            reader.Next();
        }
        else if (reader.BeginResponseBody(hasBody: !exchange.IsHead && status is not (204 or 304)))
        {
            Complete(in segment, exchange);
        }
    }

    private void Complete(in Segment segment, HttpExchange exchange)
    {
        var isSeen = !segment.IsGap && !exchange.IsUnreadable;
        Finish(isSeen ? SpanOutcome.Complete : SpanOutcome.Unfinished, isSeen ? segment.Time : 0);
    }

    /// <summary>What follows is another protocol; requests that were sent after the one that asked for it get no answer of ours.</summary>
    private void Upgrade(long time)
    {
        Finish(SpanOutcome.Upgraded, time);
        while (exchanges.First is not null)
        {
            Finish(SpanOutcome.Unfinished, 0);
        }

        exchanges.HandOver();
    }

    private void LoseStartLine(HttpExchange exchange)
    {
        exchange.IsUnreadable |= !guess.IsTried;
        guess.GiveUp(ref reader, buffers);
    }

    private void Finish(SpanOutcome outcome, long end)
    {
        exchanges.Finish(outcome, end, requests.BodyLength, reader.Body.Length);
        reader.Next();
        guess.Settle();
    }
}
