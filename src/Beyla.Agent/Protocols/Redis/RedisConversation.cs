using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// What is known of a connection to Redis: gives each direction its bytes. It lives as long as the connection, since the database, the
/// version of RESP and subscriptions are known from earlier commands only.
/// </summary>
internal sealed class RedisConversation : Conversation
{
    /// <summary>Estimated bytes of the object with what it refers to, without its readers.</summary>
    public const int Size = 560;

    private readonly RedisProtocol protocol;
    private readonly RedisExchanges exchanges;
    private readonly RedisResponses responses;
    private RedisReaders? readers;
    private Connection connection = null!;
    private SocketDirection? direction;
    private bool isFresh, isInline;

    /// <summary>A conversation of this protocol. <see cref="Begin"/> comes before its use.</summary>
    public RedisConversation(RedisProtocol protocol)
    {
        this.protocol = protocol;
        Doubt = new SilentList<RedisConversation>.Place(this);
        exchanges = new RedisExchanges(protocol, this);
        responses = new RedisResponses(protocol, exchanges, this);
    }

    /// <summary>Its place among those whose commands are held back.</summary>
    public SilentList<RedisConversation>.Place Doubt { get; }

    /// <summary>The stream of responses; null while nothing is open on the connection.</summary>
    public RedisReplies? Replies => readers?.Replies;

    /// <summary>
    /// What was taken for a command was a response that looks like one: the other direction has the commands. Set when a command comes
    /// where a response should.
    /// </summary>
    public bool IsInverted { get; set; }

    /// <inheritdoc/>
    public override bool IsIdle => exchanges.IsEmpty && readers is not { Requests.HasPart: true };

    /// <summary>Ready for a connection; an object is used again after <see cref="Release"/>.</summary>
    /// <param name="connection">Which.</param>
    /// <param name="isFresh">It begins now: nothing was sent on it before.</param>
    /// <param name="isInline">It begins with inline commands, which only a response proves.</param>
    /// <param name="requests">Which way the commands go; null when the first bytes will tell.</param>
    public void Begin(Connection connection, bool isFresh, bool isInline, SocketDirection? requests)
    {
        this.connection = connection;
        (this.isFresh, this.isInline) = (isFresh, isInline);
        direction = requests;
        BeginExchanges(requests ?? default);
    }

    /// <inheritdoc/>
    public override void OnData(ref Segment segment)
    {
        if (exchanges.IsOver)
        {
            segment.SkipAll();
            return;
        }

        if (direction is null)
        {
            direction = segment.Direction;
            BeginExchanges(segment.Direction);
        }

        var reading = Attach();
        if (segment.Direction == direction)
        {
            reading.Requests.Read(ref segment);
        }
        else
        {
            reading.Replies.Read(ref segment);
            if (IsInverted)
            {
                Invert(reading, segment.Direction);
            }
        }

        if (reading.AreBetween && exchanges.IsQuiet)
        {
            Detach();
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
            Attach().Requests.Read(ref gap);
        }
        else
        {
            Attach().Replies.Miss(from, until);
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
        readers?.Requests.End();
        LoseAll();
    }

    /// <summary>Nothing came for long.</summary>
    public void Rest() => exchanges.Rest();

    /// <inheritdoc/>
    public override void OnPressure()
    {
        readers?.Requests.Shorten();
        exchanges.Shorten();
    }

    /// <inheritdoc/>
    public override void OnTimeout(Exchange exchange, long time) => exchanges.TimeOut((RedisExchange)exchange, time);

    /// <inheritdoc/>
    public override void Release()
    {
        readers?.Requests.End();
        LoseAll();
        Detach();
        connection = null!;
        protocol.Return(this);
    }

    /// <summary>The connection goes on with something that is no commands and responses.</summary>
    public void HandOver()
    {
        LoseAll();
        connection.HandOver(ProtocolId.Foreign);
    }

    private void BeginExchanges(SocketDirection requests)
    {
        exchanges.Begin(connection, isFresh, isInline, requests);
        responses.LoseReplies(isOther: false);
    }

    private void LoseAll()
    {
        exchanges.Lose();
        responses.LoseReplies(isOther: false);
    }

    private RedisReaders Attach()
    {
        if (readers is null)
        {
            readers = protocol.Readers.Rent();
            readers.Begin(exchanges, responses);
        }

        return readers;
    }

    private void Detach()
    {
        if (readers is not null)
        {
            readers.Requests.Release();
            protocol.Readers.Return(readers);
            readers = null;
        }
    }

    private void Invert(RedisReaders reading, SocketDirection requests)
    {
        IsInverted = false;
        reading.Requests.End();
        LoseAll();
        reading.Requests.Release();
        direction = requests;
        BeginExchanges(requests);
        reading.Begin(exchanges, responses);
        exchanges.CountUnread();
    }

    private void End(SpanOutcome outcome, long time)
    {
        readers?.Requests.End();
        exchanges.End(outcome, time);
    }
}
