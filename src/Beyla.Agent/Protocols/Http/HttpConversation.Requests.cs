using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>The direction of the requests.</summary>
internal sealed partial class HttpConversation
{
    /// <summary>The exchange whose request is being read; null when it was answered already or had no room.</summary>
    private HttpExchange? receiving;

    /// <summary>A request line was seen: from then on the directions are settled.</summary>
    private bool isBegun;
    private long startTime;
    private uint startBoundary;
    private int startPid, startTid;

    /// <summary>The PROXY header, which only the first bytes of a connection can be.</summary>
    private ProxyHeader proxy;

    /// <summary>Request lines in the operation that is being read.</summary>
    private int begunHere;

    /// <summary>Until a whole request line was seen, the direction that last looked like one counts.</summary>
    private void Adopt(in Segment segment)
    {
        if (proxy.IsHeld)
        {
            return;
        }

        if (request.Line.IsEmpty || (segment.Direction != requestDirection && HttpStartLine.MayBeRequest(segment.Data)))
        {
            request.Line.Release(protocol.Buffers);
            requestDirection = connection.RequestDirection ?? segment.Direction;
        }
    }

    private void ReadProxyHeader(ref Segment segment)
    {
        proxy.Read(ref segment, connection);
        if (proxy.Part == ProxyPart.Broken)
        {
            request.Lose();
            segment.SkipAll();
        }
    }

    private void ReadRequests(ref Segment segment)
    {
        ref var r = ref request;
        if (r.IsLost)
        {
            FindRequest(in segment);
        }
        else if (r.MaySkipBody)
        {
            GuessRequest(ref segment);
        }

        begunHere = 0;
        var counted = segment.IsGap;
        while (segment.Left > 0)
        {
            if (!counted && begunHere > 1 && segment.Data.IsEmpty && r.Phase is HttpPhase.Head or HttpPhase.Lost)
            {
                // Requests that were sent together, beyond what is captured of one operation.
                protocol.CountUnseen(segment.Left);
                counted = true;
            }

            switch (r.Phase)
            {
                case HttpPhase.Start:
                    ReadRequestLine(ref segment);
                    break;
                case HttpPhase.Head:
                    ReadRequestHead(ref segment);
                    break;
                default:
                    if (r.ReadBody(ref segment))
                    {
                        EndRequest();
                    }

                    break;
            }
        }
    }

    /// <summary>An operation that begins like a request is one, when the request before it did not visibly end.</summary>
    private void FindRequest(in Segment segment)
    {
        var data = segment.Data.TrimStart("\r\n"u8);
        var end = data.IndexOf((byte)'\n');
        if (end > 0
            ? HttpStartLine.TryParseRequest(data[..end].TrimEnd((byte)'\r'), false, out _, out _, out _)
            : HttpStartLine.MayBeRequest(data))
        {
            EndRequest();
        }
    }

    /// <summary>
    /// After an expectation that was refused the client goes on with the body or, without it, with the next request. A whole request line decides
    /// for that; while one may be on its way both are followed.
    /// </summary>
    private void GuessRequest(ref Segment segment)
    {
        ref var r = ref request;
        var ahead = segment;
        if (r.Line.IsEmpty)
        {
            ahead.Skip(Math.Max(0, ahead.Data.IndexOfAnyExcept("\r\n"u8)));
            BeginStartLine(in ahead);
        }

        var whole = r.Line.TryRead(ref ahead, protocol.Buffers, out var line, out var cut);
        if (whole && HttpStartLine.TryParseRequest(line, cut, out var method, out var target, out var minor))
        {
            segment = ahead;
            r.MaySkipBody = false;
            EndRequest();
            OpenExchange(method, target, minor);
            r.Phase = HttpPhase.Head;
            return;
        }

        r.MaySkipBody = whole ? line.IsEmpty : ahead.Left == 0 && HttpStartLine.MayBeRequest(line);
        if (!r.MaySkipBody)
        {
            r.Line.Release(protocol.Buffers);
        }
    }

    private void BeginStartLine(in Segment segment)
    {
        startTime = segment.Time;
        startBoundary = segment.Opposite;
        startPid = segment.Pid;
        startTid = segment.Tid;
    }

    private void ReadRequestLine(ref Segment segment)
    {
        ref var r = ref request;
        if (r.Line.IsEmpty)
        {
            var start = segment.Data.IndexOfAnyExcept("\r\n"u8);
            segment.Skip(start < 0 ? segment.Data.Length : start);
            if (segment.Left == 0)
            {
                return;
            }

            BeginStartLine(in segment);
        }

        var whole = r.Line.TryRead(ref segment, protocol.Buffers, out var line, out var cut);
        if (!whole && (segment.Left == 0 || !segment.Data.IsEmpty))
        {
            if (!HttpStartLine.MayBeRequest(line, connection.RequestDirection is not null))
            {
                LoseStartLine(false);
            }

            return;
        }

        // Bytes that are missing cut the line short as well.
        if (!HttpStartLine.TryParseRequest(line, cut || !whole, out var method, out var target, out var minor))
        {
            if (whole && NamesClient(line))
            {
                return;
            }

            if (isBegun && !segment.IsGap && segment.Unseen > 0)
            {
                protocol.CountUnseen(segment.Left);
            }

            LoseStartLine(!whole || cut);
            segment.SkipAll();
            return;
        }

        OpenExchange(method, target, minor);
        if (whole)
        {
            r.Phase = HttpPhase.Head;
        }
        else
        {
            CutRequestHead(in segment);
        }
    }

    private void OpenExchange(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, byte minor)
    {
        isBegun = true;
        begunHere++;
        connection.RequestDirection = requestDirection;
        if (count >= protocol.MaxPipelined)
        {
            protocol.CountUnread();
            last!.Overflow++;
            receiving = null;
            return;
        }

        var exchange = protocol.Create(this, startTime);
        exchange.Boundary = startBoundary;
        exchange.MinorVersion = minor;
        exchange.IsHead = method.SequenceEqual("HEAD"u8);
        exchange.IsConnect = method.SequenceEqual("CONNECT"u8);
        exchange.SetTarget(method, new HttpTarget(target, exchange.IsConnect), protocol.Buffers);
        exchange.Pid = startPid;
        exchange.Tid = startTid;
        exchange.RequestBody = -1;
        _ = last is null ? first = exchange : last.Next = exchange;
        last = receiving = exchange;
        count++;
        protocol.TellOpened(exchange, connection);
    }

    private void ReadRequestHead(ref Segment segment)
    {
        ref var r = ref request;
        if (segment.Data.IsEmpty)
        {
            CutRequestHead(in segment);
            return;
        }

        if (!r.Line.TryRead(ref segment, protocol.Buffers, out var line, out _))
        {
            return;
        }

        if (line.IsEmpty)
        {
            CompleteRequestHead(in segment);
            BeginRequestBody();
        }
        else if (r.Fields.Add(line, out var value) == HttpField.Host && !value.IsEmpty)
        {
            receiving?.SetHost(value, protocol.Buffers);
        }
    }

    private void CompleteRequestHead(in Segment segment)
    {
        request.Line.Release(protocol.Buffers);
        if (receiving is not null)
        {
            receiving.HandlerStart = segment.Time;
            if (!segment.IsGap)
            {
                var moved = receiving.Pid != segment.Pid;
                receiving.Pid = segment.Pid;
                receiving.Tid = segment.Tid;
                if (moved)
                {
                    protocol.TellOpened(receiving, connection);
                }
            }
        }
    }

    private void BeginRequestBody()
    {
        ref var r = ref request;
        switch (r.Fields.Framing)
        {
            case HttpFraming.Chunked:
                r.BeginBody(HttpPhase.Chunked);
                break;
            case HttpFraming.Length when r.Fields.Length > 0:
                r.BeginBody(HttpPhase.Length, r.Fields.Length);
                break;
            case HttpFraming.None or HttpFraming.Length:
                r.BeginBody(HttpPhase.Length);
                EndRequest();
                break;
            default:
                r.Lose();
                break;
        }
    }

    /// <summary>Part of the head was not visible: what was seen of it has to do, and the end of the request is not known.</summary>
    private void CutRequestHead(in Segment segment)
    {
        CompleteRequestHead(in segment);
        request.Lose();
    }

    private void EndRequest()
    {
        if (receiving is not null)
        {
            receiving.RequestBody = request.BodyLength;
            receiving = null;
        }

        if (request.MaySkipBody)
        {
            request.Line.Release(protocol.Buffers);
        }

        request.Next();
    }

    /// <summary>Whether a line is the PROXY header of version 1, which can come only once and before everything else.</summary>
    private bool NamesClient(ReadOnlySpan<byte> line)
    {
        if (isBegun || connection.RequestDirection is not null || proxy.Part == ProxyPart.Done || !ProxyHeader.TryParseLine(line, out var client, out var port))
        {
            return false;
        }

        proxy.Finish();
        if (client != default)
        {
            connection.NameClient(in client, port);
        }

        request.Line.Release(protocol.Buffers);
        return true;
    }

    /// <summary>
    /// What stands where a request line belongs is none. It counts as a lost request on a connection that has spoken HTTP, or when it is
    /// <paramref name="broken"/>: bytes of it were not seen.
    /// </summary>
    private void LoseStartLine(bool broken)
    {
        if (broken || connection.RequestDirection is not null)
        {
            protocol.CountUnread();
        }

        request.Line.Release(protocol.Buffers);
        request.Lose();
    }
}
