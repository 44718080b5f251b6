using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// What is known of a connection to Redis: gives each direction its bytes. It lives as long as the connection, since the database, the
/// version of RESP and subscriptions are known from earlier commands only.
/// </summary>
internal sealed class RedisConversation : Conversation
{
    private readonly RedisProtocol protocol;
    private readonly RedisExchanges exchanges;
    private readonly RedisRequests requests;
    private Connection connection = null!;
    private SocketDirection? direction;
    private bool isFresh;

    /// <summary>A conversation of this protocol. <see cref="Begin"/> comes before its use.</summary>
    public RedisConversation(RedisProtocol protocol)
    {
        this.protocol = protocol;
        exchanges = new RedisExchanges(protocol, this);
        requests = new RedisRequests(exchanges);
        Replies = new RedisReplies(exchanges);
    }

    /// <summary>The stream of responses.</summary>
    public RedisReplies Replies { get; }

    /// <summary>
    /// What was taken for a command was a response that looks like one: the other direction has the commands. Set when a command comes
    /// where a response should.
    /// </summary>
    public bool IsInverted { get; set; }

    /// <inheritdoc/>
    public override bool IsIdle => exchanges.IsEmpty && requests.IsBetween;

    /// <summary>Ready for a connection; an object is used again after <see cref="Release"/>.</summary>
    /// <param name="connection">Which.</param>
    /// <param name="isFresh">It begins now: nothing was sent on it before.</param>
    /// <param name="requests">Which way the commands go; null when the first bytes will tell.</param>
    public void Begin(Connection connection, bool isFresh, SocketDirection? requests)
    {
        this.connection = connection;
        this.isFresh = isFresh;
        direction = requests;
        if (direction is { } requestsGo)
        {
            BeginStreams(requestsGo);
        }
    }

    /// <inheritdoc/>
    public override void OnData(ref Segment segment)
    {
        if (exchanges.IsOver && direction is not null)
        {
            segment.SkipAll();
            return;
        }

        if (direction is null)
        {
            BeginStreams(segment.Direction);
        }

        if (segment.Direction == direction)
        {
            requests.Read(ref segment);
            return;
        }

        Replies.Read(ref segment);
        if (IsInverted)
        {
            requests.End();
            exchanges.Lose();
            requests.Release();
            BeginStreams(segment.Direction);
            exchanges.CountUnread();
        }
    }

    /// <inheritdoc/>
    public override void OnGap(SocketDirection direction, uint from, uint until, long time)
    {
        if (this.direction is null || exchanges.IsOver)
        {
            return;
        }

        if (direction == this.direction)
        {
            var gap = new Segment { IsGap = true, Direction = direction, Unseen = until - from, Time = time };
            requests.Read(ref gap);
        }
        else
        {
            Replies.Miss(from, until);
        }
    }

    /// <inheritdoc/>
    public override void OnSendShut(long time)
    {
        if (direction == SocketDirection.Receive)
        {
            End(SpanOutcome.Closed, time);
        }
    }

    /// <inheritdoc/>
    public override void OnClose(long time) => End(SpanOutcome.Closed, time);

    /// <inheritdoc/>
    public override void OnStale() => End(SpanOutcome.Unfinished, 0);

    /// <inheritdoc/>
    public override void OnEvict()
    {
        requests.End();
        exchanges.Lose();
    }

    /// <inheritdoc/>
    public override void OnTimeout(Exchange exchange, long time) => exchanges.TimeOut((RedisExchange)exchange, time);

    /// <inheritdoc/>
    public override void Release()
    {
        requests.End();
        exchanges.Lose();
        requests.Release();
        connection = null!;
        protocol.Return(this);
    }

    /// <summary>The connection goes on with something that is no commands and responses.</summary>
    public void HandOver()
    {
        exchanges.Lose();
        connection.HandOver(ProtocolId.Foreign);
    }

    private void BeginStreams(SocketDirection requestsGo)
    {
        direction = requestsGo;
        IsInverted = false;
        exchanges.Begin(connection, isFresh, requestsGo);
        requests.Begin();
        Replies.Begin();
    }

    private void End(SpanOutcome outcome, long time)
    {
        requests.End();
        exchanges.End(outcome, time);
    }
}
