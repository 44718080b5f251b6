using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// What HTTP/1 knows of one connection while an exchange is open on it: gives each direction its bytes. Framing is
/// <see cref="HttpMessageReader"/>'s matter, guessing that of <see cref="HttpSideGuess"/>, <see cref="HttpRequestGuess"/> and
/// <see cref="HttpResponseGuess"/>, the life cycle that of <see cref="HttpExchanges"/>; <see cref="HttpRequests"/> and
/// <see cref="HttpResponses"/> bring the three together.
/// </summary>
internal sealed class HttpConversation : Conversation
{
    private readonly HttpProtocol protocol;
    private readonly HttpExchanges exchanges;
    private readonly HttpRequests requests;
    private readonly HttpResponses responses;

    /// <summary>
    /// A conversation of this protocol, which gives it buffers and takes its spans. <see cref="Begin"/> comes before
    /// its use.
    /// </summary>
    public HttpConversation(HttpProtocol protocol)
    {
        this.protocol = protocol;
        exchanges = new HttpExchanges(protocol.Ledger, this);
        requests = new HttpRequests(protocol.Ledger, exchanges);
        responses = new HttpResponses(protocol.Ledger.Buffers, exchanges, requests);
    }

    /// <inheritdoc/>
    public override bool IsIdle => exchanges.First is null && requests.IsIdle;

    /// <summary>Ready for a connection; an object is used again after <see cref="Release"/>.</summary>
    public void Begin(Connection connection)
    {
        exchanges.Begin(connection);
        requests.Begin(connection);
        responses.Begin();
    }

    /// <inheritdoc/>
    public override void OnData(ref Segment segment)
    {
        if (!requests.Side.IsSettled)
        {
            requests.Look(ref segment);
        }

        if (segment.Direction == requests.Side.Requests)
        {
            requests.Read(ref segment);
        }
        else
        {
            responses.Read(ref segment);
        }
    }

    /// <inheritdoc/>
    public override void OnGap(SocketDirection direction, uint from, uint until, long time)
    {
        if (requests.TryMiss(direction))
        {
            return;
        }

        if (direction == requests.Side.Requests)
        {
            var gap = new Segment { IsGap = true, Direction = direction, Unseen = until - from, Time = time };
            requests.Read(ref gap);
        }
        else
        {
            responses.Miss(from, until, time);
        }
    }

    /// <inheritdoc/>
    public override void OnSendShut(long time)
    {
        if (requests.Side is { IsSettled: true, Requests: SocketDirection.Receive })
        {
            responses.End(time);
        }
    }

    /// <inheritdoc/>
    public override void OnClose(long time) => responses.End(time);

    /// <inheritdoc/>
    public override void OnStale() => responses.EndUnseen();

    /// <inheritdoc/>
    public override void OnEvict() => exchanges.Lose();

    /// <inheritdoc/>
    public override void OnTimeout(Exchange exchange, long time) =>
        exchanges.TimeOut((HttpExchange)exchange, time, requests.BodyLength);

    /// <inheritdoc/>
    public override void OnPressure() => exchanges.Shorten();

    /// <inheritdoc/>
    public override void Release()
    {
        exchanges.Release();
        requests.Release();
        responses.Release();
        protocol.Return(this);
    }
}
