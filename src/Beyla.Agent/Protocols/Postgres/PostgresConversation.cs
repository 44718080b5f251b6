using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// What PostgreSQL knows of one connection, for as long as it lives: gives each direction its bytes. Where messages begin is
/// <see cref="MessageReader"/>'s matter, what they mean that of <see cref="PostgresRequests"/> and <see cref="PostgresResponses"/>, the
/// life cycle that of <see cref="PostgresExchanges"/>.
/// </summary>
internal sealed class PostgresConversation : Conversation
{
    private readonly PostgresProtocol protocol;
    private readonly PostgresSession session;
    private readonly PostgresExchanges exchanges;
    private readonly PostgresRequests requests;
    private readonly PostgresResponses responses;
    private Connection connection = null!;
    private SocketDirection requestDirection;
    private bool isBegun, isOver;

    /// <summary>A conversation of this protocol. <see cref="Begin"/> comes before its use.</summary>
    public PostgresConversation(PostgresProtocol protocol)
    {
        this.protocol = protocol;
        session = new PostgresSession(protocol);
        exchanges = new PostgresExchanges(protocol, session, this);
        requests = new PostgresRequests(protocol, session, exchanges);
        responses = new PostgresResponses(protocol, session, exchanges, requests);
    }

    /// <summary>Prepared statements and the database are worth keeping, once it is a fact that there are some.</summary>
    public override bool IsIdle => isOver;

    /// <summary>Ready for a connection; an object is used again after <see cref="Release"/>.</summary>
    /// <param name="followed">The connection.</param>
    /// <param name="beginning">What its first bytes are.</param>
    public void Begin(Connection followed, Beginning beginning)
    {
        connection = followed;
        isBegun = beginning.Kind is BeginningKind.StartUp or BeginningKind.Requests or BeginningKind.Responses;
        requestDirection = beginning.RequestDirection;
        followed.RequestDirection = isBegun ? requestDirection : null;
        isOver = false;
        exchanges.Begin(followed, beginning.Kind != BeginningKind.Requests);
        requests.Begin(beginning.Kind == BeginningKind.StartUp);
        responses.Begin();
    }

    /// <inheritdoc/>
    public override void OnData(ref Segment segment)
    {
        if (!isBegun && !TryBegin(in segment))
        {
            segment.SkipAll();
            isOver = true;
            return;
        }

        var isRead = segment.Direction == requestDirection ? requests.Read(ref segment, responses) : responses.Read(ref segment);
        if (requests.IsOver || responses.IsOver)
        {
            isOver = true;
            exchanges.FinishAll(SpanOutcome.Unfinished, segment.Time);
            connection.HandOver(ProtocolId.Foreign);
        }
        else if (!isRead && !exchanges.IsSettled)
        {
            // It looked like a query and was none.
            exchanges.Lose();
            connection.RequestDirection = null;
            isOver = true;
        }
    }

    /// <inheritdoc/>
    public override void OnGap(SocketDirection direction, uint from, uint until, long time)
    {
        var gap = new Segment { IsGap = true, Direction = direction, Unseen = until - from, Time = time };
        OnData(ref gap);
    }

    /// <inheritdoc/>
    public override void OnSendShut(long time)
    {
        if (requestDirection == SocketDirection.Receive)
        {
            exchanges.End(time);
        }
    }

    /// <inheritdoc/>
    public override void OnClose(long time) => exchanges.End(time);

    /// <inheritdoc/>
    public override void OnStale() => exchanges.FinishAll(SpanOutcome.Unfinished, 0);

    /// <inheritdoc/>
    public override void OnEvict() => exchanges.Lose();

    /// <inheritdoc/>
    public override void OnPressure()
    {
        exchanges.Shorten();
        requests.Shorten();
        session.Shorten();
    }

    /// <inheritdoc/>
    public override void OnTimeout(Exchange exchange, long time) => exchanges.TimeOut((PostgresExchange)exchange, time);

    private bool TryBegin(in Segment segment)
    {
        var opening = new Opening { Data = segment.Data, Length = segment.Left, Direction = segment.Direction, IsKnown = !segment.IsGap };
        Begin(connection, Beginning.Judge(in opening));
        return isBegun;
    }

    /// <inheritdoc/>
    public override void Release()
    {
        exchanges.Release();
        requests.Release();
        responses.Release();
        session.Release();
        connection = null!;
        protocol.Return(this);
    }
}
