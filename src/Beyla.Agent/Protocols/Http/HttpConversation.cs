using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// The requests of one connection that have no complete answer yet, in order, and where both directions stand. The two halves of reading are in
/// HttpConversation.Requests.cs and HttpConversation.Responses.cs.
/// </summary>
internal sealed partial class HttpConversation(HttpProtocol protocol) : Conversation
{
    private Connection connection = null!;
    private SocketDirection requestDirection;
    private HttpMessageReader request, response;
    private HttpExchange? first, last;
    private int count;

    /// <inheritdoc/>
    public override bool IsIdle =>
        first is null && (request.IsLost || (request.Phase == HttpPhase.Start && request.Line.IsEmpty && (isBegun || !proxy.IsHeld)));

    public void Begin(Connection followed)
    {
        connection = followed;
        request = response = default;
        receiving = null;
        isBegun = false;
        proxy.Begin(followed.RequestDirection is null ? ProxyPart.Signature : ProxyPart.None);
    }

    /// <inheritdoc/>
    public override void OnData(ref Segment segment)
    {
        if (!isBegun)
        {
            Adopt(in segment);
            if (segment.Direction == requestDirection && proxy.Part < ProxyPart.Done)
            {
                ReadProxyHeader(ref segment);
            }
        }

        if (segment.Direction == requestDirection)
        {
            ReadRequests(ref segment);
        }
        else
        {
            ReadResponses(ref segment);
        }
    }

    /// <inheritdoc/>
    public override void OnGap(SocketDirection direction, uint from, uint until, long time)
    {
        if (!isBegun && (direction != requestDirection || request.Line.IsEmpty))
        {
            if (direction == requestDirection && proxy.Part < ProxyPart.Done)
            {
                proxy.Begin(ProxyPart.None);
            }
        }
        else if (direction == requestDirection)
        {
            var gap = new Segment { IsGap = true, Direction = direction, Unseen = until - from, Time = time };
            ReadRequests(ref gap);
        }
        else
        {
            SkipResponses(from, until, time);
        }
    }

    /// <inheritdoc/>
    public override void OnSendShut(long time)
    {
        if (isBegun && requestDirection == SocketDirection.Receive)
        {
            EndResponses(time);
        }
    }

    /// <inheritdoc/>
    public override void OnClose(long time) => EndResponses(time);

    /// <inheritdoc/>
    public override void OnStale()
    {
        while (first is not null)
        {
            Finish(SpanOutcome.Unfinished, first.LastSeen);
        }
    }

    /// <inheritdoc/>
    public override void OnEvict()
    {
        for (var exchange = first; exchange is not null; exchange = exchange.Next)
        {
            protocol.Lose(exchange);
        }
    }

    /// <summary>No answer in time: the span is handed out now, the exchange stays so that a late answer finds its place.</summary>
    public void OnTimeout(HttpExchange exchange, long end)
    {
        if (exchange == receiving)
        {
            exchange.RequestBody = request.BodyLength;
        }

        protocol.Report(exchange, connection, SpanOutcome.TimedOut, 408, end, -1);
    }

    /// <inheritdoc/>
    public override void Release()
    {
        while (first is not null)
        {
            var exchange = Dequeue();
            protocol.Lose(exchange);
            protocol.Return(exchange);
        }

        request.Line.Release(protocol.Buffers);
        response.Line.Release(protocol.Buffers);
        receiving = null;
        connection = null!;
        protocol.Return(this);
    }

    private HttpExchange Dequeue()
    {
        var exchange = first!;
        first = exchange.Next;
        last = first is null ? null : last;
        count--;
        return exchange;
    }

    /// <summary>Reports the first open exchange and goes on to the next.</summary>
    /// <param name="outcome">How it ended.</param>
    /// <param name="end">When; 0 when only the time of what was seen last is known.</param>
    private void Finish(SpanOutcome outcome, long end)
    {
        var exchange = first!;
        if (exchange == receiving)
        {
            // The answer is there before the request is complete: what was received until now counts.
            exchange.RequestBody = request.BodyLength;
            receiving = null;
        }

        end = end != 0 ? end : Math.Max(exchange.LastSeen, Math.Max(exchange.HandlerStart, exchange.Start));
        protocol.Report(exchange, connection, outcome, exchange.Status, end, exchange.Status == 0 ? -1 : response.BodyLength);
        response.Next();
        if (exchange.Overflow > 0)
        {
            exchange.Overflow--;
            exchange.Status = 0;
            exchange.HasGap = exchange.IsUnreadable = exchange.IsContinued = false;
            return;
        }

        _ = Dequeue();
        protocol.Return(exchange);
    }

    /// <summary>No more answers can come.</summary>
    private void EndResponses(long time)
    {
        while (first is { } exchange)
        {
            var outcome = response.Phase switch
            {
                HttpPhase.UntilClose => exchange.HasGap || exchange.IsUnreadable ? SpanOutcome.Unfinished : SpanOutcome.Complete,
                HttpPhase.Length => SpanOutcome.Closed,
                _ => exchange.HasGap || response.IsGuess || (response.IsLost && exchange.Status != 0) ? SpanOutcome.Unfinished : SpanOutcome.Closed,
            };
            Finish(outcome, outcome == SpanOutcome.Closed ? time : 0);
        }
    }
}
