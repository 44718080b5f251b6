using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// The direction of the requests: takes tokens from the framing, tells the exchanges what they mean, and asks the guesses where a token
/// is missing or is no HTTP.
/// </summary>
internal sealed class HttpRequests(ExchangeLedger<HttpExchange> ledger, HttpExchanges exchanges)
{
    private HttpMessageReader reader;
    private HttpRequestGuess guess;

    /// <summary>Which direction this is.</summary>
    public HttpSideGuess Side { get; } = new();

    /// <summary>Bytes of the body of the request that is being read; -1 when unknown.</summary>
    public long BodyLength => reader.Body.Length;

    /// <summary>Whether nothing was begun that the next bytes need.</summary>
    public bool IsIdle => reader.IsLost || (reader.IsBetween && !Side.HoldsProxy);

    /// <summary>Ready for a connection.</summary>
    public void Begin(Connection connection)
    {
        reader = default;
        guess = default;
        Side.Begin(connection);
    }

    /// <summary>Gives the buffers back.</summary>
    public void Release() => reader.Line.Release(ledger.Buffers);

    /// <summary>Before the directions are settled: looks at a segment of either one.</summary>
    /// <param name="segment">What belongs to a PROXY header is consumed.</param>
    public void Look(ref Segment segment) => Side.Look(ref segment, ref reader, ledger.Buffers);

    /// <summary>Bytes passed unseen, and no request can have begun in them.</summary>
    public bool TryMiss(Kernel.SocketDirection direction) => Side.TryMiss(direction, in reader);

    /// <summary>
    /// A final status came: a client that waits for 100 (Continue) with its body may leave it out (RFC 9110 section 10.1.1).
    /// </summary>
    /// <param name="exchange">The exchange that was answered.</param>
    public void Answer(HttpExchange exchange) =>
        guess.MaySkipBody |= exchange == exchanges.Receiving && reader.Phase is HttpPhase.Length or HttpPhase.Chunked
            && reader.Fields.ExpectsContinue && !exchange.IsContinued && !reader.Body.HasBytes;

    /// <summary>The next bytes, or a gap.</summary>
    /// <param name="segment">Consumed.</param>
    public void Read(ref Segment segment)
    {
        if (reader.IsLost)
        {
            if (HttpRequestGuess.IsBeginning(in segment))
            {
                EndRequest();
            }
        }
        else if (guess.MaySkipBody)
        {
            SkipBody(ref segment);
        }

        guess.BeginOperation(segment.IsGap);
        while (segment.Left > 0)
        {
            if (segment.Data.IsEmpty && guess.TakeUnseen(in segment, reader.Phase) is > 0 and var unseen)
            {
                ledger.CountUnseen(unseen);
            }

            if (!reader.IsBetween || !TryReadWhole(ref segment))
            {
                ReadToken(ref segment);
            }
        }
    }

    /// <summary>The short way of a request whose head is whole in the segment and has the plain form; else nothing is done.</summary>
    private bool TryReadWhole(ref Segment segment)
    {
        if (!HttpWholeHead.TryRead(segment.Data, out var head) || head.HasTwice
            || !HttpStartLine.TryParsePlain(head.StartLine, out var method, out var target, out var minor))
        {
            return false;
        }

        exchanges.NoteStart(in segment);
        Open(method, target, minor);
        if (!head.Host.IsEmpty)
        {
            exchanges.Receiving?.SetHost(head.Host, ledger.Buffers);
        }

        if (!head.TraceParent.IsEmpty && exchanges.Receiving is { } traced)
        {
            traced.SetTraceParent(head.TraceParent);
            traced.AddTraceState(head.TraceState, ledger.Buffers);
        }

        segment.Skip(head.Length);
        reader.Fields = head.Fields;
        exchanges.EndHead(in segment);
        if (reader.BeginRequestBody())
        {
            EndRequest();
        }

        return true;
    }

    private void ReadToken(ref Segment segment)
    {
        if (reader.IsBetween)
        {
            exchanges.NoteStart(in segment);
        }

        var token = reader.Read(ref segment, ledger.Buffers, out var text);
        switch (token)
        {
            case HttpToken.PartOfStartLine when !HttpStartLine.MayBeRequest(text, Side.HasSpoken):
                LoseStartLine(false);
                break;
            case HttpToken.StartLine or HttpToken.LongStartLine or HttpToken.CutStartLine:
                OnStartLine(token, text, ref segment);
                break;
            case HttpToken.Host:
                exchanges.Receiving?.SetHost(text, ledger.Buffers);
                break;
            case HttpToken.TraceParent:
                exchanges.Receiving?.SetTraceParent(text);
                break;
            case HttpToken.TraceState:
                exchanges.Receiving?.AddTraceState(text, ledger.Buffers);
                break;
            case HttpToken.HeadEnd:
                exchanges.EndHead(in segment);
                if (reader.BeginRequestBody())
                {
                    EndRequest();
                }

                break;
            case HttpToken.HeadCut:
                CutHead(in segment);
                break;
            case HttpToken.BodyEnd:
                EndRequest();
                break;
            default:
                break;
        }
    }

    private void OnStartLine(HttpToken token, ReadOnlySpan<byte> line, ref Segment segment)
    {
        // Bytes that are missing cut the line short as well.
        var isCut = token != HttpToken.StartLine;
        if (HttpStartLine.TryParseRequest(line, isCut, out var method, out var target, out var minor))
        {
            Open(method, target, minor);
            if (token == HttpToken.CutStartLine)
            {
                CutHead(in segment);
            }
        }
        else if (token != HttpToken.CutStartLine && Side.TryNameClient(line))
        {
            reader.Line.Release(ledger.Buffers);
        }
        else
        {
            if (Side.IsSettled && !segment.IsGap && segment.Unseen > 0)
            {
                ledger.CountUnseen(segment.Left);
            }

            LoseStartLine(isCut);
            segment.SkipAll();
        }
    }

    private void Open(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, byte minor)
    {
        Side.Settle();
        guess.Count();
        exchanges.Open(method, target, minor);
        reader.Phase = HttpPhase.Head;
    }

    /// <summary>Ends a request whose body was left out, when a whole line says that the next one has begun.</summary>
    private void SkipBody(ref Segment segment)
    {
        if (reader.Line.IsEmpty)
        {
            exchanges.NoteStart(in segment);
        }

        if (guess.TrySkipBody(ref segment, ref reader.Line, ledger.Buffers, out var method, out var target, out var minor))
        {
            EndRequest();
            Open(method, target, minor);
        }
    }

    /// <summary>Part of the head was not visible: what was seen of it has to do, and the end of the request is not known.</summary>
    private void CutHead(in Segment segment)
    {
        exchanges.EndHead(in segment);
        reader.Lose(ledger.Buffers);
    }

    private void EndRequest()
    {
        exchanges.EndRequest(reader.Body.Length);
        if (guess.MaySkipBody)
        {
            guess.MaySkipBody = false;
            reader.Line.Release(ledger.Buffers);
        }

        reader.Next();
    }

    /// <summary>
    /// What stands where a request line belongs is none. It counts as a lost request on a connection that has spoken HTTP, or when it is
    /// <paramref name="broken"/>: bytes of it were not seen.
    /// </summary>
    private void LoseStartLine(bool broken)
    {
        if (broken || Side.HasSpoken)
        {
            ledger.CountUnread();
        }

        reader.Lose(ledger.Buffers);
    }
}
