using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>The direction of the answers.</summary>
internal sealed partial class HttpConversation
{
    /// <summary>Status of the head that is being read; interim ones never reach the exchange.</summary>
    private int status;

    /// <summary>What to go back to, and how many bytes were taken, when a guessed status line turns out to be none.</summary>
    private HttpPhase guessedIn;
    private long guessed, seenBeforeGuess;

    private void ReadResponses(ref Segment segment)
    {
        ref var r = ref response;
        if (!segment.IsGap && (r.IsLost || r.Phase == HttpPhase.UntilClose))
        {
            FindResponse(in segment);
        }

        // Without an open request it is an answer to one that was not seen. A gap is dealt out one exchange at a time by SkipResponses.
        var begun = first;
        while (segment.Left > 0 && first is { } exchange && (!segment.IsGap || exchange == begun))
        {
            if (segment.IsGap)
            {
                exchange.HasGap = true;
            }
            else
            {
                exchange.LastSeen = segment.Time;
                exchange.HasGap &= r.Phase is not (HttpPhase.Length or HttpPhase.UntilClose);
            }

            switch (r.Phase)
            {
                case HttpPhase.Start:
                    ReadStatusLine(ref segment);
                    break;
                case HttpPhase.Head:
                    ReadResponseHead(ref segment);
                    break;
                default:
                    if (r.ReadBody(ref segment))
                    {
                        Complete(in segment);
                    }

                    break;
            }
        }
    }

    /// <summary>Bytes of the answers that no event showed. What lies before the boundary of the next request belongs to the answer before.</summary>
    private void SkipResponses(uint from, uint to, long time)
    {
        while (from != to && first is { } exchange)
        {
            var end = to;
            var isSettled = false;
            if (exchange.Next is { } next && (int)(next.Boundary - from) > 0 && (int)(to - next.Boundary) >= 0)
            {
                end = next.Boundary;
                isSettled = true;
            }

            var gap = new Segment { IsGap = true, Unseen = end - from, Time = time };
            ReadResponses(ref gap);
            if (isSettled && first == exchange)
            {
                Finish(SpanOutcome.Unfinished, 0);
            }

            from = isSettled ? end : end - (uint)gap.Left;
        }
    }

    /// <summary>
    /// An operation that begins like a status line ends an answer whose end is not visible. Where no other request waits it is taken for part of the body.
    /// </summary>
    private void FindResponse(in Segment segment)
    {
        if (first is { } exchange && HttpStartLine.MayBeResponse(segment.Data)
            && (exchange.Status == 0 || exchange.Next is not null || exchange.Overflow > 0))
        {
            guessedIn = response.Phase;
            guessed = 0;
            seenBeforeGuess = exchange.LastSeen;
            response.IsGuess = true;
            response.Phase = HttpPhase.Start;
        }
    }

    private void ReadStatusLine(ref Segment segment)
    {
        ref var r = ref response;
        var before = segment.Left;
        if (r.Line.IsEmpty)
        {
            var start = segment.Data.IndexOfAnyExcept("\r\n"u8);
            segment.Skip(start < 0 ? segment.Data.Length : start);
            if (segment.Left == 0)
            {
                guessed += before;
                return;
            }
        }

        var whole = r.Line.TryRead(ref segment, protocol.Buffers, out var line, out _);
        guessed += before - segment.Left;
        if (!whole && segment.Data.IsEmpty && segment.Unseen > 0)
        {
            first!.HasGap = true;
            LoseResponse();
            return;
        }

        if (whole ? !HttpStartLine.TryParseStatus(line, out status) : !HttpStartLine.MayBeResponse(line))
        {
            if (r.IsGuess || !HttpStartLine.MayBeResponse(line))
            {
                first!.IsUnreadable |= !r.IsGuess;
                LoseResponse();
                return;
            }

            // The head is one all the same: it tells where the answer ends.
            status = 0;
            first!.IsUnreadable = true;
            protocol.StopTimer(first);
            r.Phase = HttpPhase.Head;
            return;
        }

        if (!whole)
        {
            return;
        }

        if (r.IsGuess && (first!.Status != 0 || ((first.HasGap || first.IsUnreadable) && first.Next is not null)))
        {
            first.LastSeen = seenBeforeGuess;
            Finish(SpanOutcome.Unfinished, 0);
            first!.LastSeen = segment.Time;
        }

        r.IsGuess = false;
        r.Phase = HttpPhase.Head;
        first!.IsUnreadable = false;
        if (status is >= 200 or 101)
        {
            first.Status = status;
            protocol.StopTimer(first);
            request.MaySkipBody |= first == receiving && request.Phase is HttpPhase.Length or HttpPhase.Chunked && request.Fields.ExpectsContinue
                && !first.IsContinued && !request.HasBody;
        }
        else if (status == 100)
        {
            first.IsContinued = true;
        }
    }

    private void ReadResponseHead(ref Segment segment)
    {
        ref var r = ref response;
        if (segment.Data.IsEmpty)
        {
            LoseResponse();
        }
        else if (r.Line.TryRead(ref segment, protocol.Buffers, out var line, out _))
        {
            if (line.IsEmpty)
            {
                BeginResponseBody(ref segment);
            }
            else
            {
                _ = r.Fields.Add(line, out _);
            }
        }
    }

    /// <summary>RFC 9112 section 6.3.</summary>
    private void BeginResponseBody(ref Segment segment)
    {
        ref var r = ref response;
        r.Line.Release(protocol.Buffers);
        var exchange = first!;
        if (status == 101 || (exchange.IsConnect && status is >= 200 and < 300))
        {
            r.BeginBody(HttpPhase.Length);
            Upgrade(segment.Time);
            segment.SkipAll();
            return;
        }

        if (status < 200 && !exchange.IsUnreadable)
        {
            r.Next();
            return;
        }

        switch (exchange.IsHead || status is 204 or 304 ? HttpFraming.Length : r.Fields.Framing)
        {
            case HttpFraming.Length:
                var length = exchange.IsHead || status is 204 or 304 ? 0 : r.Fields.Length;
                r.BeginBody(HttpPhase.Length, length);
                if (length == 0)
                {
                    Complete(in segment);
                }

                break;
            case HttpFraming.Chunked:
                r.BeginBody(HttpPhase.Chunked);
                break;
            case HttpFraming.Conflict:
                r.BeginBody(HttpPhase.Lost);
                break;
            default:
                r.BeginBody(HttpPhase.UntilClose);
                break;
        }
    }

    private void Complete(in Segment segment)
    {
        if (segment.IsGap || first!.IsUnreadable)
        {
            Finish(SpanOutcome.Unfinished, 0);
        }
        else
        {
            Finish(SpanOutcome.Complete, segment.Time);
        }
    }

    /// <summary>What follows is another protocol; requests that were sent after the one that asked for it get no answer of ours.</summary>
    private void Upgrade(long time)
    {
        Finish(SpanOutcome.Upgraded, time);
        while (first is not null)
        {
            Finish(SpanOutcome.Unfinished, 0);
        }

        connection.Ignored = true;
    }

    private void LoseResponse()
    {
        ref var r = ref response;
        r.Line.Release(protocol.Buffers);
        if (r.IsGuess)
        {
            r.IsGuess = false;
            r.Phase = guessedIn;
            r.AddRaw(guessed);
        }
        else
        {
            r.Lose();
        }
    }
}
