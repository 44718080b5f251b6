using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// A connection on which a statement was found: keeps the first bytes of what is requested until the other side speaks, and looks for one
/// in them. Where messages begin and end cannot be known, so one exchange is open at a time.
/// </summary>
internal sealed class SqlConversation : Conversation
{
    /// <summary>Bytes of a request that are kept: the header of the unknown protocol, and the text.</summary>
    public const int MaxRequest = 4096;

    /// <summary>Estimated bytes of the object.</summary>
    public const int Size = 280;

    /// <summary>Bytes that are kept where memory is tight.</summary>
    private const int ShortRequest = 256;

    /// <summary>
    /// How often a request that grows is looked through while it does: one that comes byte by byte is looked through at its end, too.
    /// </summary>
    private const int MaxSearches = 8;

    private readonly SqlProtocol protocol;
    private readonly SilentList<SqlConversation>.Place place;
    private Connection connection = null!;
    private SqlExchange? exchange;
    private ExchangeText request;
    private Range statement;
    private long start, end, goroutine;
    private int pid, tid, searches;
    private bool isCut, isBegun;

    /// <summary>A conversation of this protocol. <see cref="Begin"/> comes before its use.</summary>
    public SqlConversation(SqlProtocol protocol)
    {
        this.protocol = protocol;
        place = new SilentList<SqlConversation>.Place(this);
    }

    /// <inheritdoc/>
    public override bool IsIdle => !isBegun;

    /// <summary>Ready for a connection.</summary>
    public void Begin(Connection followed) => connection = followed;

    /// <inheritdoc/>
    public override void OnData(ref Segment segment)
    {
        if (SqlProtocol.IsRequest(segment.Direction, connection.IsAccepted))
        {
            OnRequest(in segment);
        }
        else
        {
            OnResponse(segment.Time);
        }

        segment.SkipAll();
    }

    /// <inheritdoc/>
    public override void OnGap(SocketDirection direction, uint from, uint until, long time)
    {
        if (!isBegun)
        {
            return;
        }

        if (!SqlProtocol.IsRequest(direction, connection.IsAccepted))
        {
            OnResponse(time);
        }
        else if (exchange is { HasResponse: true })
        {
            // Another request began in what is missing.
            EndResponse();
        }
        else
        {
            isCut = true;
        }
    }

    /// <inheritdoc/>
    public override void OnSendShut(long time)
    {
        if (connection.IsAccepted)
        {
            OnClose(time);
        }
    }

    /// <inheritdoc/>
    public override void OnClose(long time)
    {
        Search();
        if (exchange is { HasResponse: true })
        {
            EndResponse();
        }
        else
        {
            Finish(SpanOutcome.Closed, time);
        }
    }

    /// <inheritdoc/>
    public override void OnStale()
    {
        Search();
        Finish(SpanOutcome.Unfinished, end);
    }

    /// <inheritdoc/>
    public override void OnEvict()
    {
        if (exchange is not null)
        {
            protocol.Ledger.Lose(exchange);
        }
    }

    /// <inheritdoc/>
    public override void OnTimeout(Exchange exchange, long time) => Report((SqlExchange)exchange, SpanOutcome.TimedOut, time);

    /// <inheritdoc/>
    public override void Release()
    {
        Clear();
        connection = null!;
        protocol.Return(this);
    }

    /// <summary>No more of the response is awaited: it was complete with what was seen of it last.</summary>
    internal void EndResponse() => Finish(SpanOutcome.Complete, exchange!.LastSeen);

    private void OnRequest(in Segment segment)
    {
        if (exchange is { HasResponse: true })
        {
            EndResponse();
        }

        if (!isBegun)
        {
            isBegun = true;
            (start, pid, tid, goroutine) = (segment.Time, segment.Pid, segment.Tid, segment.Goroutine);
        }

        end = segment.Time;
        if (!isCut)
        {
            var room = Math.Min(MaxRequest, protocol.Buffers.Most(ShortRequest)) - request.Length;
            var more = segment.Data[..Math.Clamp(segment.Data.Length, 0, Math.Max(0, room))];
            _ = request.Append(more, protocol.Buffers);
            isCut = more.Length < segment.Left;
        }

        if (searches < MaxSearches)
        {
            searches++;
            Search();
        }

        if (exchange is not null)
        {
            exchange.HandlerStart = end;
        }
    }

    private void OnResponse(long time)
    {
        if (!isBegun)
        {
            return;
        }

        Search();
        if (exchange is null)
        {
            Clear();
            return;
        }

        protocol.Ledger.StopTimer(exchange);
        exchange.LastSeen = Math.Max(time, end);
        protocol.Quiet.Touch(place, exchange.LastSeen);
    }

    /// <summary>Looks for a statement in what was requested, unless the other side has begun to speak since.</summary>
    private void Search()
    {
        if (exchange is { HasResponse: true } || !SqlDetect.Find(request.All, out var found))
        {
            return;
        }

        statement = found;
        if (exchange is not null)
        {
            return;
        }

        exchange = protocol.Ledger.Create(this, start);
        (exchange.Pid, exchange.Tid, exchange.Goroutine, exchange.HandlerStart) = (pid, tid, goroutine, end);
        connection.RequestDirection = connection.IsAccepted ? SocketDirection.Receive : SocketDirection.Send;
        protocol.Ledger.TellOpened(exchange, connection);
        protocol.Ledger.TellBegun(exchange, connection);
    }

    private void Finish(SpanOutcome outcome, long time)
    {
        if (exchange is not null)
        {
            Report(exchange, outcome, time);
        }

        Clear();
    }

    private void Report(SqlExchange reported, SpanOutcome outcome, long time)
    {
        var ledger = protocol.Ledger;
        if (ledger.Begin(reported))
        {
            // Behind a text that ends before the last byte stands something else: that one is whole.
            var isEnd = statement.End.Value == request.Length;
            protocol.Span.Fill(ledger.Values, request.All[statement], isCut && isEnd, outcome);
            ledger.Report(reported, connection, outcome, Math.Max(time, end));
        }
    }

    private void Clear()
    {
        protocol.Quiet.Remove(place);
        if (exchange is not null)
        {
            protocol.Ledger.Return(exchange);
            exchange = null;
        }

        request.Release(protocol.Buffers);
        statement = default;
        (start, end, goroutine, pid, tid, searches) = (0, 0, 0, 0, 0, 0);
        isCut = isBegun = false;
    }
}
